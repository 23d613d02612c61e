"""What can be set from outside: environment variables, each HOSPITAL_ and its name in capitals, with its unit."""

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any


class BadSetting(Exception):
    """An environment variable cannot be read as what it should be."""


@dataclass(frozen=True)
class Settings:
    # Where things are
    database_url: str = ""  # empty: the embedded SQLite in `instance`
    secret_key: str = ""  # empty: one is made and kept in `instance` (embedded demo only)
    key_file: str = ""
    key_command: str = ""
    anchor_file: str = ""  # empty: `anchors.log` in `instance`
    instance: Path = Path("instance")
    host: str = "127.0.0.1"
    port: int = 8000
    connections_waiting: int = 2_048
    mllp_host: str = "127.0.0.1"
    mllp_port: int = 2575
    demo: bool = False
    simulate: bool = False
    simulate_staff: bool = False
    simulator_seed: int = 1
    simulator_speed: float = 1.0
    # Intake
    mllp_max_bytes: int = 1_048_576
    mllp_idle_s: float = 300.0
    mllp_max_connections: int = 500
    mllp_per_minute: int = 60_000
    mllp_tls_host: str = "127.0.0.1"
    mllp_tls_port: int = 0  # 0: no such listener
    mllp_tls_cert_file: str = ""
    mllp_tls_key_file: str = ""
    mllp_tls_client_ca_file: str = ""  # empty: no client certificate is asked for
    token_days: float = 365.0
    token_overlap_h: float = 24.0
    repeat_window_h: float = 24.0
    message_keep_days: float = 90.0
    # The life of an alert
    escalate_high_s: float = 120.0
    escalate_medium_s: float = 300.0
    escalate_low_s: float = 900.0
    cleared_unseen_s: float = 900.0
    # Vital signs
    history_after_s: float = 900.0
    news2_fast_s: int = 900
    news2_slow_s: int = 43_200
    vitals_shown_slow_s: float = 3_600.0
    link_loss_s: float = 120.0
    clock_off_s: float = 120.0
    patient_card_keep_h: float = 24.0
    observation_message_keep_h: float = 24.0
    idempotency_keep_h: float = 24.0
    # Sessions
    session_idle_h: float = 4.0
    session_absolute_h: float = 24.0
    session_office_idle_h: float = 0.5
    session_office_absolute_h: float = 12.0
    session_display_days: float = 365.0
    ended_session_keep_days: float = 30.0
    session_rotate_s: float = 900.0
    session_overlap_s: float = 60.0
    # Signing in
    trusted_proxies: str = ""  # addresses or networks, with commas between
    plain_http: bool = False  # people and programs may sign in without TLS from other machines
    sign_in_tries: int = 5
    sign_in_tries_per_address: int = 50
    sign_in_delay_most_s: float = 300.0
    sign_in_forget_h: float = 24.0
    second_factor_within_s: float = 600.0
    password_min_characters: int = 12
    one_time_password_h: float = 72.0
    glass_min: float = 30.0
    glass_per_minute: int = 3
    searches_per_minute: int = 60
    acts_per_minute: int = 600
    intake_per_minute: int = 60_000
    # The stream
    beat_s: float = 5.0
    coalesce_ms: float = 20.0
    vitals_every_s: float = 0.8
    metrics_every_s: float = 5.0
    ring_lines: int = 10_000
    dead_peer_s: float = 15.0
    send_buffer_bytes: int = 65_536
    streams_per_person: int = 40
    drain_window_s: float = 2.0
    streams_per_s: float = 5_000.0
    streams_waiting: int = 3_000
    stream_wait_s: float = 8.0
    socket_origins: str = ""  # apart by spaces
    socket_ping_s: float = 20.0
    socket_message_bytes: int = 4_096
    reports_per_minute: int = 60
    csp_reports_per_minute: int = 600
    # Wall boards
    notice_days: float = 7.0
    board_silent_s: float = 30.0
    board_night_from_h: float = 21.0
    board_night_to_h: float = 7.0
    pairing_s: float = 600.0
    pairing_codes_per_address: int = 20
    pairing_tries_per_minute: int = 10

    @classmethod
    def from_environment(cls, **changed: Any) -> "Settings":
        """Read every HOSPITAL_ variable; `changed` are other defaults. Raises BadSetting."""
        read = dict(changed)
        for field in fields(cls):
            text = os.environ.get(f"HOSPITAL_{field.name.upper()}")
            if text is not None:
                read[field.name] = _read(field.name, type(field.default), text)
        return cls(**read)

    def but(self, **changed: Any) -> "Settings":
        return replace(self, **changed)


def _read(name: str, kind: type[Any], text: str) -> Any:
    if kind is bool:
        if text in ("0", "1"):
            return text == "1"
        raise BadSetting(f"HOSPITAL_{name.upper()} must be 0 or 1, not {text!r}")
    try:
        return Path(text) if issubclass(kind, Path) else kind(text)
    except ValueError:
        raise BadSetting(f"HOSPITAL_{name.upper()} must be a {kind.__name__}, not {text!r}") from None


current = Settings()


def use(settings: Settings) -> None:
    """Set what `settings.current` is from now on: once, when the application is made."""
    global current
    current = settings
