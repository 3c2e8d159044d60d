"""Who asks: a bearer key or token, with the scope that the operation needs. Cookies are never looked at."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer
from ninja.throttling import SimpleRateThrottle

from guildmark.app.api.problems import Refusal
from guildmark.app.services.api_keys import Caller, caller_of


class Needs(HttpBearer):
    """Lets a caller through whose key has the scope; with None, any caller."""

    def __init__(self, scope: str | None) -> None:
        self.scope = scope
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        caller = caller_of(token.strip(), now=timezone.now())
        if caller is not None and self.scope is not None and self.scope not in caller.scopes:
            raise Refusal(
                403,
                f"This needs the scope {self.scope}, which the key does not have, or which its maker may not give.",
                WWW_Authenticate=f'Bearer error="insufficient_scope", scope="{self.scope}"',
            )
        return caller


class StrangersBound(SimpleRateThrottle):
    """How often an address may ask without a key that has the scope `verify`.

    Counted in the memory of each process of the server, so that several processes let through as many times more.
    """

    scope = "strangers"

    def __init__(self) -> None:
        super().__init__("30/m")

    def get_cache_key(self, request: HttpRequest) -> str | None:
        if "Authorization" in request.headers:
            caller = Needs(None)(request)
            if caller is None:
                raise Refusal(401, WWW_Authenticate="Bearer")
            if "verify" in caller.scopes:
                return None
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
