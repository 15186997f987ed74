"""Tokens that their issuer made recognisable: a prefix, a length, an alphabet.

The shapes are those that the issuers document for secret scanning or show in their API reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.engine.family import Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A token's shape. `sign` is its beginning, for the scan that all texts go through."""

    kind: str
    issuer: str
    sign: str
    pattern: re.Pattern[str]


def _shape(kind: str, issuer: str, sign: str, pattern: str) -> Shape:
    return Shape(kind=kind, issuer=issuer, sign=sign, pattern=re.compile(pattern))


_END = r"(?![A-Za-z0-9_])"

SHAPES = (
    _shape(
        "aws_access_key",
        "AWS",
        r"a[ks]ia[a-z2-7]{16}|(?:abia|acca)[a-z2-7]{16}",
        rf"A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{{16}}{_END}",
    ),
    _shape(
        "github_token",
        "GitHub",
        r"gh[opsur]_[a-z0-9]{36}",
        rf"gh[opsur]_[A-Za-z0-9]{{36,255}}{_END}",
    ),
    _shape(
        "github_token",
        "GitHub",
        r"github_pat_[a-z0-9]{22}_",
        rf"github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}{_END}",
    ),
    _shape(
        "gitlab_token",
        "GitLab",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w-]{20}",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w\-]{20,70}(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?(?![\w\-])",
    ),
    _shape(
        "slack_token",
        "Slack",
        r"xox[abeoprs]-[0-9a-z.-]{10}",
        r"xox[abeoprs]-[0-9A-Za-z.\-]{10,400}(?<![.\-])(?!\w)",
    ),
    _shape(
        "slack_token",
        "Slack",
        r"xapp-\d-[a-z0-9]+-",
        rf"xapp-[0-9]-[A-Z0-9]{{8,20}}-[0-9]{{8,20}}-[0-9a-f]{{32,128}}{_END}",
    ),
    _shape(
        "slack_webhook",
        "Slack",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/",
        r"https://hooks\.slack\.com/(?:services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,32}|(?:workflows|triggers)/T[A-Z0-9]{6,12}/[A-Za-z0-9/]{20,90})",
    ),
    _shape(
        "discord_webhook",
        "Discord",
        r"discord(?:app)?\.com/api/webhooks/\d",
        r"https://(?:\w{1,10}\.)?discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/[\w\-]{50,90}",
    ),
    _shape(
        "teams_webhook",
        "Microsoft",
        r"\.webhook\.office\.com/webhookb2/",
        r"https://[\w\-]{1,60}\.webhook\.office\.com/webhookb2/[0-9a-f\-]{36}@[0-9a-f\-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f\-]{36}",
    ),
    _shape(
        "stripe_key",
        "Stripe",
        r"[rs]k_live_[a-z0-9]{16}",
        rf"[rs]k_live_[A-Za-z0-9]{{16,247}}{_END}",
    ),
    _shape(
        "stripe_key",
        "Stripe",
        r"whsec_[a-z0-9+/]{32}",
        r"whsec_[A-Za-z0-9+/]{32,64}={0,2}(?![A-Za-z0-9])",
    ),
    _shape("google_api_key", "Google", r"aiza[\w-]{35}", r"AIza[\w\-]{35}(?![\w\-])"),
    _shape("google_oauth", "Google", r"gocspx-[\w-]{28}", r"GOCSPX-[\w\-]{28}(?![\w\-])"),
    _shape("google_oauth", "Google", r"ya29\.[\w.-]{20}", r"ya29\.[\w\-.]{20,2048}(?![\w\-])"),
    _shape(
        "anthropic_key",
        "Anthropic",
        r"sk-ant-[a-z0-9]{3,10}-[\w-]{20}",
        r"sk-ant-[a-z0-9]{3,10}-[\w\-]{20,200}(?![\w\-])",
    ),
    _shape(
        "openai_key",
        "OpenAI",
        r"sk-(?:[a-z]+-)?[\w-]{16}",
        r"sk-(?:(?:proj|svcacct|admin|None)-[\w\-]{20,300}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{48})(?![\w\-])",
    ),
    _shape(
        "openrouter_key", "OpenRouter", r"sk-or-v1-[0-9a-f]{64}", rf"sk-or-v1-[0-9a-f]{{64}}{_END}"
    ),
    _shape("groq_key", "Groq", r"gsk_[a-z0-9]{52}", rf"gsk_[A-Za-z0-9]{{52}}{_END}"),
    _shape("xai_key", "xAI", r"xai-[a-z0-9]{80}", rf"xai-[A-Za-z0-9]{{80}}{_END}"),
    _shape("perplexity_key", "Perplexity", r"pplx-[a-z0-9]{48}", rf"pplx-[A-Za-z0-9]{{48}}{_END}"),
    _shape("replicate_key", "Replicate", r"r8_[a-z0-9]{37}", rf"r8_[A-Za-z0-9]{{37}}{_END}"),
    _shape(
        "huggingface_token",
        "Hugging Face",
        r"(?:hf|api_org)_[a-z0-9]{34}",
        rf"(?:hf|api_org)_[A-Za-z0-9]{{34}}{_END}",
    ),
    _shape("npm_token", "npm", r"npm_[a-z0-9]{36}", rf"npm_[A-Za-z0-9]{{36}}{_END}"),
    _shape("pypi_token", "PyPI", r"pypi-age[\w-]{40}", r"pypi-AgE[\w\-]{40,300}(?![\w\-])"),
    _shape(
        "rubygems_token", "RubyGems", r"rubygems_[0-9a-f]{48}", rf"rubygems_[0-9a-f]{{48}}{_END}"
    ),
    _shape("crates_token", "crates.io", r"cio[a-z0-9]{32}", rf"cio[A-Za-z0-9]{{32}}{_END}"),
    _shape("clojars_token", "Clojars", r"clojars_[a-z0-9]{60}", rf"CLOJARS_[a-z0-9]{{60}}{_END}"),
    _shape(
        "docker_token", "Docker", r"dckr_[op]at_[\w-]{20}", r"dckr_[op]at_[\w\-]{20,60}(?![\w\-])"
    ),
    _shape(
        "sendgrid_key",
        "SendGrid",
        r"sg\.[\w-]{22}\.[\w-]{20}",
        r"SG\.[\w\-]{22}\.[\w\-]{43}(?![\w\-])",
    ),
    _shape("mailgun_key", "Mailgun", r"key-[0-9a-f]{32}", rf"key-[0-9a-f]{{32}}{_END}"),
    _shape(
        "mailchimp_key", "Mailchimp", r"[0-9a-f]{32}-us\d", rf"[0-9a-f]{{32}}-us[0-9]{{1,2}}{_END}"
    ),
    _shape(
        "brevo_key",
        "Brevo",
        r"xkeysib-[0-9a-f]{64}",
        r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}(?![\w\-])",
    ),
    _shape(
        "resend_key",
        "Resend",
        r"\bre_[a-z0-9]{8}_[a-z0-9]{24}",
        rf"re_[A-Za-z0-9]{{8}}_[A-Za-z0-9]{{24}}{_END}",
    ),
    _shape("twilio_key", "Twilio", r"\bsk[0-9a-f]{32}", rf"SK[0-9a-f]{{32}}{_END}"),
    _shape("telegram_token", "Telegram", r"\d{8}:a[\w-]{34}", r"[0-9]{8,10}:A[\w\-]{34}(?![\w\-])"),
    _shape(
        "discord_token",
        "Discord",
        r"\b[mno][\w-]{23,27}\.[\w-]{6}\.[\w-]{27}",
        r"[MNO][\w\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,40}(?![\w\-])",
    ),
    _shape(
        "shopify_token",
        "Shopify",
        r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}",
        rf"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{{32}}{_END}",
    ),
    _shape(
        "square_token",
        "Square",
        r"sq0(?:atp|csp|idp)-[\w-]{22}",
        r"sq0(?:atp|csp)-[\w\-]{22,43}(?![\w\-])",
    ),
    _shape(
        "digitalocean_token",
        "DigitalOcean",
        r"do[opr]_v1_[0-9a-f]{64}",
        rf"do[opr]_v1_[0-9a-f]{{64}}{_END}",
    ),
    _shape(
        "doppler_token",
        "Doppler",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.",
        rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_\-]{{2,35}}\.)?[A-Za-z0-9]{{40,44}}{_END}",
    ),
    _shape(
        "vault_token",
        "HashiCorp Vault",
        r"hv[bsr]\.[\w-]{24}",
        r"hv[bsr]\.[\w\-]{24,300}(?![\w\-])",
    ),
    _shape(
        "terraform_token",
        "HCP Terraform",
        r"\.atlasv1\.[\w=-]{60}",
        r"[A-Za-z0-9]{14}\.atlasv1\.[\w\-=]{60,70}(?![\w\-])",
    ),
    _shape("heroku_key", "Heroku", r"hrku-aa[\w-]{58}", r"HRKU-AA[\w\-]{58}(?![\w\-])"),
    _shape(
        "linear_key",
        "Linear",
        r"lin_(?:api|oauth)_[a-z0-9]{40}",
        rf"lin_(?:api|oauth)_[A-Za-z0-9]{{40,64}}{_END}",
    ),
    _shape(
        "notion_token",
        "Notion",
        r"ntn_\d{11}|\bsecret_[a-z0-9]{43}",
        rf"(?:ntn_[0-9]{{11}}[A-Za-z0-9]{{35}}|secret_[A-Za-z0-9]{{43}}){_END}",
    ),
    _shape(
        "grafana_token",
        "Grafana",
        r"glsa_[a-z0-9]{32}_|glc_[a-z0-9+/]{32}",
        rf"(?:glsa_[A-Za-z0-9]{{32}}_[0-9a-fA-F]{{8}}|glc_[A-Za-z0-9+/]{{32,400}}={{0,3}}){_END}",
    ),
    _shape(
        "age_key",
        "age",
        r"age-secret-key-1[a-z0-9]{58}",
        rf"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{{58}}{_END}",
    ),
    _shape(
        "databricks_token",
        "Databricks",
        r"\bdapi[0-9a-f]{32}",
        r"dapi[0-9a-f]{32}(?:-[0-9])?(?![\w\-])",
    ),
    _shape(
        "newrelic_key",
        "New Relic",
        r"nr(?:ak|ii|jk)-[\w-]{20}|nraa-[0-9a-f]{27}",
        r"NR(?:AK|II)-[A-Za-z0-9\-]{27,32}(?![\w\-])",
    ),
    _shape(
        "postman_key",
        "Postman",
        r"pmak-[0-9a-f]{24}-",
        rf"PMAK-[0-9a-f]{{24}}-[0-9a-f]{{34}}{_END}",
    ),
    _shape(
        "supabase_token",
        "Supabase",
        r"sbp_(?:v0_)?[0-9a-f]{40}|sb_secret_",
        rf"(?:sbp_(?:v0_)?[0-9a-f]{{40}}|sb_secret_[\w\-]{{22,40}}){_END}",
    ),
    _shape(
        "azure_client_secret",
        "Microsoft",
        r"\dq~[\w~.-]{31}",
        r"[A-Za-z0-9_~.\-]{3}[0-9]Q~[\w~.\-]{31,34}(?![\w~.\-])",
    ),
    _shape("figma_token", "Figma", r"figd_[\w-]{40}", r"figd_[\w\-]{40,50}(?![\w\-])"),
    _shape(
        "atlassian_token",
        "Atlassian",
        r"at(?:att|ctt|bb)3?[\w=-]{24}",
        r"(?:ATATT3|ATCTT3)[\w\-=]{100,300}(?![\w\-=])",
    ),
    _shape("bitbucket_token", "Bitbucket", r"atbb[a-z0-9]{32}", rf"ATBB[A-Za-z0-9]{{32}}{_END}"),
    _shape(
        "sentry_token",
        "Sentry",
        r"sntry[su]_[\w+/=-]{40}",
        r"sntry(?:u_[0-9a-f]{64}|s_[\w+/=\-]{60,400})",
    ),
    _shape("sonar_token", "SonarQube", r"sq[apu]_[0-9a-f]{40}", rf"sq[apu]_[0-9a-f]{{40}}{_END}"),
    _shape(
        "buildkite_token",
        "Buildkite",
        r"bk[ua]a?_[0-9a-f]{40}",
        rf"bk(?:ua|aa?)_[0-9a-f]{{40}}{_END}",
    ),
    _shape(
        "circleci_token",
        "CircleCI",
        r"cci(?:pat|prj)_[a-z0-9]{22}_",
        rf"CCI(?:PAT|PRJ)_[A-Za-z0-9]{{22}}_[0-9a-f]{{40}}{_END}",
    ),
    _shape("netlify_token", "Netlify", r"nfp_[a-z0-9]{36}", rf"nfp_[A-Za-z0-9]{{36}}{_END}"),
    _shape(
        "planetscale_token",
        "PlanetScale",
        r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32}",
        r"pscale_(?:tkn|pw|oauth)_[\w.=\-]{32,64}",
    ),
    _shape(
        "tailscale_key",
        "Tailscale",
        r"tskey-[a-z]+-[a-z0-9]+",
        r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{10,20}(?:CNTRL)?-[A-Za-z0-9]{20,40}(?![\w\-])",
    ),
    _shape("pulumi_token", "Pulumi", r"\bpul-[0-9a-f]{40}", rf"pul-[0-9a-f]{{40}}{_END}"),
    _shape(
        "flyio_token",
        "Fly.io",
        r"\bfo1_[\w-]{43}|\bfm[12][ar]?_[a-z0-9+/=]{60}",
        r"(?:fo1_[\w\-]{43}|fm1[ar]_[A-Za-z0-9+/]{60,800}={0,3}|fm2_[A-Za-z0-9+/]{60,800}={0,3})",
    ),
    _shape(
        "airtable_token",
        "Airtable",
        r"\bpat[a-z0-9]{14}\.[0-9a-f]{64}",
        rf"pat[A-Za-z0-9]{{14}}\.[0-9a-f]{{64}}{_END}",
    ),
    _shape(
        "dropbox_token",
        "Dropbox",
        r"\bsl\.(?:u\.)?[\w-]{120}",
        r"sl\.(?:u\.)?[\w\-]{120,1400}(?![\w\-])",
    ),
    _shape(
        "mapbox_token",
        "Mapbox",
        r"\bsk\.eyj[\w-]{40}",
        r"sk\.eyJ[\w\-]{40,200}\.[\w\-]{20,60}(?![\w\-])",
    ),
    _shape("facebook_token", "Meta", r"\beaa[a-z0-9]{90}", rf"EAA[A-Za-z0-9]{{90,400}}{_END}"),
    _shape("typeform_token", "Typeform", r"\btfp_[\w.=-]{40}", r"tfp_[\w\-]{40,70}(?![\w\-])"),
    _shape(
        "onepassword_token",
        "1Password",
        r"\bops_eyj[\w+/=-]{200}",
        r"ops_eyJ[A-Za-z0-9+/=]{200,1500}",
    ),
    _shape(
        "alibaba_key", "Alibaba Cloud", r"\bltai[a-z0-9]{12}", rf"LTAI[A-Za-z0-9]{{12,26}}{_END}"
    ),
    _shape("easypost_key", "EasyPost", r"\bezak[a-z0-9]{54}", rf"EZAK[A-Za-z0-9]{{54}}{_END}"),
    _shape("posthog_key", "PostHog", r"\bphx_[a-z0-9]{43}", rf"phx_[A-Za-z0-9]{{43,50}}{_END}"),
    _shape("snyk_token", "Snyk", r"\bsnyk_[us]at\.", r"snyk_[us]at\.[0-9a-f]{8}\.[\w\-.]{40,200}"),
    _shape(
        "axiom_token",
        "Axiom",
        r"\bxa[pi]t-[0-9a-f]{8}-",
        rf"xa[pi]t-[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}{_END}",
    ),
)

SHAPE_SIGNS = tuple(
    Sign(name=f"shape.{number}", pattern=shape.sign) for number, shape in enumerate(SHAPES)
)
