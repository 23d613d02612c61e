"""What would be done anew for each test and need not be: a password's check (argon2 is slow on purpose), a template's
compilation. Each is really done once, and remembered."""

from functools import cache

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from hospital.access import passwords

really_verify = passwords._verify
_verify_once = cache(really_verify)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_verify", _verify_once)


@pytest.fixture(scope="session", autouse=True)
def quick_templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    cache_folder = str(tmp_path_factory.mktemp("templates"))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(cache_folder)}
