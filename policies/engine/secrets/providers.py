"""Tokens that their issuer made recognisable: of platforms here, of services in `services`.

The shapes are those that the issuers document for secret scanning or show in their API reference.
"""

from __future__ import annotations

from policies.engine.family import Sign
from policies.engine.secrets.services import SERVICES
from policies.engine.secrets.shape import END, Shape, shape

_PLATFORMS = (
    shape(
        "aws_access_key",
        "AWS",
        r"a[ks]ia[a-z2-7]{16}|(?:abia|acca)[a-z2-7]{16}",
        rf"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{{16}}{END}",
        "AKIA<B16>",
    ),
    shape(
        "github_token",
        "GitHub",
        r"gh[opsur]_[a-z0-9]{36}",
        rf"gh[opsur]_[A-Za-z0-9]{{36,255}}{END}",
        "ghp_<A36>",
    ),
    shape(
        "github_token",
        "GitHub",
        r"github_pat_[a-z0-9]{22}_",
        rf"github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}{END}",
        "github_pat_<A22>_<A59>",
    ),
    shape(
        "gitlab_token",
        "GitLab",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w-]{20}",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w\-]{20,70}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?(?![\w\-])",
        "glpat-<U20>",
    ),
    shape(
        "slack_token",
        "Slack",
        r"xox[abeoprs]-[0-9a-z.-]{10}",
        r"xox[abeoprs]-[0-9A-Za-z.\-]{10,400}(?<![.\-])(?!\w)",
        "xoxb-<D12>-<D12>-<A24>",
    ),
    shape(
        "slack_token",
        "Slack",
        r"xapp-\d-[a-z0-9]+-",
        rf"xapp-[0-9]-[A-Z0-9]{{8,20}}-[0-9]{{8,20}}-[0-9a-f]{{32,128}}{END}",
        "xapp-1-A<C10>-<D13>-<H64>",
    ),
    shape(
        "slack_webhook",
        "Slack",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/",
        r"https://hooks\.slack\.com/(?:services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,32}|(?:workflows|triggers)/T[A-Z0-9]{6,12}/[A-Za-z0-9/]{20,90})",
        "https://hooks.slack.com/services/T<C9>/B<C9>/<A24>",
    ),
    shape(
        "discord_webhook",
        "Discord",
        r"discord(?:app)?\.com/api/webhooks/\d",
        r"https://(?:\w{1,10}\.)?discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/[\w\-]{50,90}",
        "https://discord.com/api/webhooks/<D18>/<U68>",
    ),
    shape(
        "teams_webhook",
        "Microsoft",
        r"\.webhook\.office\.com/webhookb2/",
        r"https://[\w\-]{1,60}\.webhook\.office\.com/webhookb2/[0-9a-f\-]{36}@[0-9a-f\-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f\-]{36}",
        "https://acme.webhook.office.com/webhookb2/<G>@<G>/IncomingWebhook/<H32>/<G>",
    ),
    shape(
        "stripe_key",
        "Stripe",
        r"[rs]k_live_[a-z0-9]{16}",
        rf"[rs]k_live_[A-Za-z0-9]{{16,247}}{END}",
        "sk_live_<A24>",
    ),
    shape(
        "stripe_key",
        "Stripe",
        r"whsec_[a-z0-9+/]{32}",
        r"whsec_[A-Za-z0-9+/]{32,64}={0,2}(?![A-Za-z0-9])",
        "whsec_<A32>",
    ),
    shape("google_api_key", "Google", r"aiza[\w-]{35}", r"AIza[\w\-]{35}(?![\w\-])", "AIza<U34>x"),
    shape(
        "google_oauth",
        "Google",
        r"gocspx-[\w-]{28}",
        r"GOCSPX-[\w\-]{28}(?![\w\-])",
        "GOCSPX-<U27>x",
    ),
    shape(
        "google_oauth",
        "Google",
        r"ya29\.[\w.-]{20}",
        r"ya29\.[\w\-.]{20,2048}(?![\w\-])",
        "ya29.<U60>x",
    ),
    shape(
        "anthropic_key",
        "Anthropic",
        r"sk-ant-[a-z0-9]{3,10}-[\w-]{20}",
        r"sk-ant-[a-z0-9]{3,10}-[\w\-]{20,200}(?![\w\-])",
        "sk-ant-api03-<U93>AA",
    ),
    shape(
        "openai_key",
        "OpenAI",
        r"sk-(?:[a-z]+-)?[\w-]{16}",
        r"sk-(?:(?:proj|svcacct|admin|None)-[\w\-]{20,300}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})(?![\w\-])",
        "sk-proj-<U40>T3BlbkFJ<U39>x",
    ),
    shape(
        "openrouter_key",
        "OpenRouter",
        r"sk-or-v1-[0-9a-f]{64}",
        rf"sk-or-v1-[0-9a-f]{{64}}{END}",
        "sk-or-v1-<H64>",
    ),
    shape("groq_key", "Groq", r"gsk_[a-z0-9]{52}", rf"gsk_[A-Za-z0-9]{{52}}{END}", "gsk_<A52>"),
    shape("xai_key", "xAI", r"xai-[a-z0-9]{80}", rf"xai-[A-Za-z0-9]{{80}}{END}", "xai-<A80>"),
    shape(
        "perplexity_key",
        "Perplexity",
        r"pplx-[a-z0-9]{48}",
        rf"pplx-[A-Za-z0-9]{{48}}{END}",
        "pplx-<A48>",
    ),
    shape(
        "replicate_key", "Replicate", r"r8_[a-z0-9]{37}", rf"r8_[A-Za-z0-9]{{37}}{END}", "r8_<A37>"
    ),
    shape(
        "huggingface_token",
        "Hugging Face",
        r"(?:hf|api_org)_[a-z0-9]{34}",
        rf"(?:hf|api_org)_[A-Za-z0-9]{{34}}{END}",
        "hf_<A34>",
    ),
    shape("npm_token", "npm", r"npm_[a-z0-9]{36}", rf"npm_[A-Za-z0-9]{{36}}{END}", "npm_<A36>"),
    shape(
        "pypi_token",
        "PyPI",
        r"pypi-age[\w-]{40}",
        r"pypi-AgE[\w\-]{40,300}(?![\w\-])",
        "pypi-AgEIcHlwaS5vcmc<U80>x",
    ),
    shape(
        "rubygems_token",
        "RubyGems",
        r"rubygems_[0-9a-f]{48}",
        rf"rubygems_[0-9a-f]{{48}}{END}",
        "rubygems_<H48>",
    ),
    shape(
        "crates_token", "crates.io", r"cio[a-z0-9]{32}", rf"cio[A-Za-z0-9]{{32}}{END}", "cio<A32>"
    ),
    shape(
        "clojars_token",
        "Clojars",
        r"clojars_[a-z0-9]{60}",
        rf"CLOJARS_[a-z0-9]{{60}}{END}",
        "CLOJARS_<L60>",
    ),
    shape(
        "docker_token",
        "Docker",
        r"dckr_[op]at_[\w-]{20}",
        r"dckr_[op]at_[\w\-]{20,60}(?![\w\-])",
        "dckr_pat_<U26>x",
    ),
)
SHAPES: tuple[Shape, ...] = (*_PLATFORMS, *SERVICES)  # AWS first: pairs are looked for beside it

SHAPE_SIGNS = tuple(
    Sign(name=f"shape.{number}", pattern=shape.sign) for number, shape in enumerate(SHAPES)
)
