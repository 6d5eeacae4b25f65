"""`eardrum heard`: what a sound file holds, and whether it is what was wanted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from eardrum.cli import options
from eardrum.terms.errors import Complaint

if TYPE_CHECKING:
    from eardrum.sound.heard import Heard

MISSED = 1  # exit status: something that was wanted is not true
BROKEN = 2  # nothing can be said about the file
_BLOCK = 480_000  # frames that are read at once


def _tones(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[float, str | None], ...]:
    tones = []
    for value in values:
        channel, _, hertz = value.rpartition(":")
        try:
            frequency = float(hertz)
        except ValueError:
            frequency = math.nan
        if not 0 < frequency < math.inf:
            raise click.BadParameter(f"{value!r} is no tone; use 440, or left:440 for one channel", ctx, param)
        tones.append((frequency, channel or None))
    return tuple(tones)


@click.command("heard", short_help="Say what a sound file holds, and check it.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tone", "tones", multiple=True, metavar="[CHANNEL:]HZ", callback=_tones, help="This tone is heard.")
@click.option("--within", default=1.0, show_default=True, metavar="PERCENT", help="How far a tone may be off.")
@click.option("--silent/--not-silent", default=None, help="Nothing is heard, or something is.")
@click.option(
    "--at-least",
    metavar="TIME",
    callback=options.seconds,
    help="It lasts so long from its first sound to its last: 2s.",
)
@click.option("--at-most", metavar="TIME", callback=options.seconds, help="It lasts no longer than that.")
@click.option("--no-gaps", is_flag=True, help="No silence of 5 ms or more is in between.")
@click.option(
    "--louder-than", type=float, metavar="DB", help="The level of its loudest channel is above this, in dBFS."
)
@click.option("--quieter-than", type=float, metavar="DB", help="It is below this.")
@click.option("--channel", metavar="CHANNEL", help="Listen to this channel only: left, right, mono or a number.")
@click.option("--json", "as_json", is_flag=True, help="Print what is heard as JSON.")
def verb(file: Path, as_json: bool, tones: Any, within: float, **wanted: Any) -> int:
    """Say what the sound file FILE holds, and whether it is what you want.

    The exit status is 0 if all that you want is true, 1 if something is not, 2 if the file cannot be read. Every format
    is read that libsndfile reads. What is not above -60 dBFS counts as silence. With --silent, --at-least and --at-most
    are about the whole file.
    """
    from eardrum.sound import report

    heard = listened(file)
    wishes = report.Wanted(tuple(report.WantedTone(*tone) for tone in tones), within=within / 100, **wanted)
    try:
        missing = list(report.missing(heard, wishes))
    except Complaint as complaint:
        raise Complaint(f"{file}: {complaint}", complaint.status) from None
    if as_json:
        told = {"file": str(file), **report.as_json(heard), "missing": missing}
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    else:
        click.echo(f"{file}: " + "\n  ".join(report.in_words(heard)))
    for line in missing:
        click.echo(f"eardrum: {file}: {line}", err=True)
    return MISSED if missing else 0


def listened(file: Path) -> Heard:
    """What is heard in a sound file. Raises Complaint."""
    import soundfile

    from eardrum.sound.heard import Ear

    try:
        if not file.is_file():
            raise Complaint(f"{file}: {'is no regular file' if file.exists() else 'there is no such file'}", BROKEN)
        file.open("rb").close()
        with soundfile.SoundFile(str(file)) as sound:
            ear = Ear(sound.samplerate, sound.channels)
            for block in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
                ear.hear(block)
            return ear.heard()
    except OSError as error:
        raise Complaint(f"{file}: {error.strerror}", BROKEN) from None
    except soundfile.SoundFileError as error:
        why = "it is empty" if not file.stat().st_size else getattr(error, "error_string", str(error)).rstrip(".")
        raise Complaint(f"{file}: cannot be read as a sound file: {why}", BROKEN) from None
