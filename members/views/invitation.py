"""The page behind the link of an invitation to the desk: the colleague chooses a name to sign in with, and a password.

The rule is members/staff/invitations.py. After it they sign in and, where it is required, set their second factor.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from members import limits
from members.staff import invitations

TRIES, IN_SECONDS = 30, 600


class JoinForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("Your name for signing in"),
        max_length=150,
        help_text=gettext_lazy("Colleagues see it beside what you do, such as olena."),
        validators=[User.username_validator],
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=gettext_lazy("A password of at least twelve characters"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same password again"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, data: Any, colleague: User) -> None:
        self.colleague = colleague
        own = "" if colleague.username.startswith("invited-") else colleague.username
        super().__init__(data, initial={"username": own})

    def clean_username(self) -> str:
        username = str(User.normalize_username(self.cleaned_data["username"]))
        if User.objects.filter(username__iexact=username).exclude(pk=self.colleague.pk).exists():
            raise ValidationError(_("A colleague has this name already. Choose another one."))
        return username

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or self.cleaned_data
        password = answers.get("password", "")
        if password and password != answers.get("again"):
            self.add_error("again", _("The two passwords differ. Type both once more."))
        elif password:
            try:
                password_validation.validate_password(password, self.colleague)
            except ValidationError as problem:
                self.add_error("password", problem)
        return answers


@sensitive_post_parameters("password", "again")
@csrf_protect
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form on GET; on POST set name and password and lead to the sign-in. A used or old link says so: 404."""
    colleague = invitations.read(token)
    if colleague is None:
        return _page(request, "staff/invitation_over.html", _("This invitation is over"), status=404)
    form = JoinForm(request.POST or None, colleague)
    if request.method == "POST" and not limits.hit_from(request, "invitation", TRIES, IN_SECONDS):
        form.add_error(None, _("Those were many tries. Wait a quarter of an hour, then try again."))
    if form.is_valid():
        try:
            with transaction.atomic():
                joined = invitations.accept(token, form.cleaned_data["username"], form.cleaned_data["password"])
        except IntegrityError:
            form.add_error("username", _("A colleague has this name already. Choose another one."))
        else:
            if joined is None:
                return _page(request, "staff/invitation_over.html", _("This invitation is over"), status=404)
            messages.success(request, _("Welcome. Sign in with the name and the password that you chose."))
            return HttpResponseRedirect(reverse("admin:login"))
    return _page(request, "staff/invitation.html", _("You are invited to the desk"), form=form)


def _page(request: HttpRequest, template: str, title: str, status: int = 200, **more: Any) -> TemplateResponse:
    around = {"site_header": admin.site.site_header, "site_title": admin.site.site_title, "title": title}
    answer = TemplateResponse(request, template, {**around, **more}, status=status)
    answer["Referrer-Policy"] = "no-referrer"
    return answer
