"""What can be learned, for anyone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guildmark.app.access import audience


@audience("public")
def catalogue(request: HttpRequest) -> HttpResponse:
    return render(request, "guildmark/home.html")
