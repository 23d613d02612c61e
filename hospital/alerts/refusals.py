"""Why an act is refused. One place turns these into answers (pages/acting.py)."""


class Refusal(Exception):
    """An act that did not happen: nothing changed, no number was used."""

    status = 409
    sentence = "This could not be done."

    @property
    def reason(self) -> str:
        return type(self).__name__


class NotFound(Refusal):
    """No such alert, or none that this person may know of: the two look the same."""

    status = 404
    sentence = "There is no such alert in your units."


class NoSuchPatient(NotFound):
    sentence = "There is no such patient in your units."


class NotAllowed(Refusal):
    status = 403
    sentence = "Your role does not allow this."


class AlreadyAcknowledged(Refusal):
    sentence = "Someone else was first."


class AlreadyResolved(Refusal):
    sentence = "This alert has been resolved in the meantime."


class NotAcknowledged(Refusal):
    sentence = "A high alert must be acknowledged before it is resolved."


class PriorityRaised(Refusal):
    sentence = "The priority has risen since you looked. Look again, then act."


class HasChanged(Refusal):
    sentence = "This alert has changed since you looked. Look again, then act."


class AtTheTop(Refusal):
    sentence = "This alert has already reached the last step."


class EmptyNote(Refusal):
    status = 422
    sentence = "A note needs some words, 2,000 characters at most."


class EmptyReason(Refusal):
    status = 422
    sentence = "Say in a few words why you need it, 500 characters at most."


class GlassIsBroken(Refusal):
    sentence = "You have emergency access already. It can be ended at the top of every page."


class NothingToOpen(Refusal):
    sentence = "You see every unit of your hospital already: there is nothing to open."


class KeyUsed(Refusal):
    status = 422
    sentence = "Something else was sent from this form before. Reload the page, then send it again."


class PressedTooLongAgo(Refusal):
    sentence = "This was pressed more than 30 seconds ago and was not done. Look again, then act."


class NoSuchScale(Refusal):
    status = 422
    sentence = "NEWS2 has the SpO₂ scales 1 and 2."
