"""Files that people sent over LINE: 202 while they are prepared, 410 once they were taken back.

Source: Messaging API reference (2026-08-07), getting content; there the host is api-data.line.me.
"""

from deploy.sandbox.exchange import Answer, Asked, file_answer, line_error, told
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.world import Bot, Kept

_PREPARED = frozenset({"video", "audio"})
_PREVIEWED = frozenset({"video", "image"})


async def content(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET .../content``."""
    kept = _find(sandbox, asked, bot)
    if isinstance(kept, Answer):
        return kept
    if sandbox.clock.now() < kept.ready_at:
        return Answer(202)
    return file_answer(asked, kept.data, kept.mime_type)


async def preview(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET .../content/preview``: of pictures and films only."""
    kept = _find(sandbox, asked, bot)
    if isinstance(kept, Answer):
        return kept
    if kept.kind not in _PREVIEWED:
        return line_error(400, "Preview doesn't support this type of content")
    return Answer(200, kept.data[:1_024], {"content-type": "image/jpeg"})


async def transcoding(sandbox: Sandbox, asked: Asked, bot: Bot) -> Answer:
    """Answer ``GET .../content/transcoding``: of films and sound only."""
    kept = _find(sandbox, asked, bot)
    if isinstance(kept, Answer):
        return kept
    if kept.kind not in _PREPARED:
        return line_error(400, "Transcoding status doesn't support this type of content")
    return told({"status": "processing" if sandbox.clock.now() < kept.ready_at else "succeeded"})


def _find(sandbox: Sandbox, asked: Asked, bot: Bot) -> Kept | Answer:
    """Find a file of the channel, or give the answer for one that is not there, or no longer."""
    kept = sandbox.world.kept.get(asked.parts["messageId"])
    if kept is None or kept.account != bot.id:
        return line_error(404, "not found")
    if kept.gone:
        return line_error(410, "The content is gone")
    return line_error(404, "not found") if sandbox.clock.now() >= kept.expires_at else kept
