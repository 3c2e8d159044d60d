"""Pages of a learner."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guildmark.app.access import audience


@audience("person")
def wallet(request: HttpRequest) -> HttpResponse:
    return render(request, "guildmark/home.html")
