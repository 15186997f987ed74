"""The engine's reading of a held text, for the people who are to answer."""

from __future__ import annotations

from dataclasses import replace

from approvals.reading import Layer, LookAlike, Reading
from axonportal.gateway import operations
from policies.engine.analysis import unwrapped
from policies.engine.decode.disguise import disguise
from policies.engine.findings import View

MAX_LAYERS = 100  # shown of one text; past it the reading says that there is more


def read(tool: str, text: str) -> Reading:
    """Every text inside the text that does not stand there for all to see, once each."""
    views, is_cut = unwrapped(operations.of_query(text, tool=tool, fields={}))
    layers: list[Layer] = []
    for view in views:
        same = next((at for at, layer in enumerate(layers) if layer.text == view.text), None)
        if same is not None:  # reached another way, too
            layers[same] = replace(layers[same], name=f"{layers[same].name}, {view.layer}")
        elif not _is_in_sight(view, text, layers):
            layers.append(_layer(view))
    found = disguise(text, code=True)
    words = sorted(found.words.items()) if found is not None else ()
    return Reading(
        layers=layers[:MAX_LAYERS],
        look_alikes=[
            LookAlike(start=start, end=end, looks_like=word) for (start, end), word in words
        ],
        complete=not is_cut and len(layers) <= MAX_LAYERS and (found is None or found.complete),
    )


def _is_in_sight(view: View, text: str, layers: list[Layer]) -> bool:
    inner = view.text.strip()
    return not inner or inner in text or any(inner in layer.text for layer in layers)


def _layer(view: View) -> Layer:
    start, end = view.place(0, len(view.text))
    return Layer(name=view.layer, text=view.text, start=start, end=end)
