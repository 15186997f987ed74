"""The portal's paths and the benchmark's."""

from django.urls import path

from axonportal import urls as portal
from benchmarks import views

handler400, handler404, handler500 = portal.handler400, portal.handler404, portal.handler500

urlpatterns = [
    path("api/bench/empty", views.empty),
    path("api/bench/batches", views.batches),
    path("api/bench/naive", views.NaivePreCheckView.as_view()),
    *portal.urlpatterns,
]
