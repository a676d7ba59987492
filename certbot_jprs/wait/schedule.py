"""Whom to ask about next: often enough to be in time, seldom enough to be polite.

While nothing is good, a run asks about one certificate a second, however many wait:

- **Turns.** Each second it is the turn of the one that was asked about longest ago, the oldest
  first: each of N is asked about every N seconds. Where that is more often than every interval, a
  turn comes each interval / N seconds.
- **The oldest.** CAs mostly get to know certificates in the order of issue, so the ``OLDEST`` are
  asked about every interval besides. (Two, so that one that stays unknown hides nobody.)
- **A good lifts the limit.** All others are asked about at once, and from then on each of them
  every interval. While ``FEW`` wait, each further good has the others asked about at once.
- **The last question** about each is put when its time is up, whatever the limit: so what is past
  its time together is put into service together.
- **What is in service** is asked about once beside all this: one a second where few wait, else one
  every ``ASIDE`` seconds, and at the latest with the last question about the new one. Once one is
  found to be revoked, all are asked about at once.

Why that is fair. Those that become good together, or in the order of issue, are each found within
an interval of their own good, however many wait. Out of order, the first is found within N seconds
at most, and each that follows within an interval. Nobody is asked about less often than the others
but for being younger, and one that stays unknown, or whose query hangs, takes nobody's turn. With
the default interval of 10 seconds, 60 certificates that wait for a minute cost 80 questions at
most, of which 4 or 5 are about what is in service; all of them every interval would be 360.

Rules of this file: no clock, no thread, no socket: the caller brings the time and does the asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from certbot_jprs.ocsp.evaluation import Answer, Status, responder_urls
from certbot_jprs.ocsp.questions import Awaited, Pair, Question

PACE = 1.0
"""Seconds from one turn to the next, at least."""

OLDEST = 2
"""How many of the oldest are asked about every interval while nothing is good."""

AT_LEAST = 10.0
"""Seconds between two such questions about one of the oldest, however short the interval is."""

FEW = 10
"""Of how many it does no harm to ask about all at once, again and again."""

ASIDE = 15.0
"""Seconds between two questions about what is in service, where more than a few wait."""

NEVER = float("inf")


class Waiting:
    """One certificate on its way through the wait.

    Attributes:
        name: its lineage's.
        pair: the certificate and its issuer's.
        timeout: its longest wait, in seconds.
        born: when it was saved; as all times here, on the caller's monotonic clock.
        deadline: when its time is up.
        in_service: what is still to be asked about the one that it replaces.
        replaces_revoked: whether that one was found to be revoked.
        answer: the last answer about it.
        unknown_until: how old it was when it was last asked about and not known; None: never.
        asked_at: when it was asked about last.
        under_way: which questions are not answered yet.
        has_ended: whether an answer came after its deadline: then it is not asked about again.
    """

    def __init__(self, awaited: Awaited, now: float, wall: float, timeout: float) -> None:
        """Begins its wait.

        Args:
            awaited: the certificate.
            now: the time.
            wall: the same, since the epoch.
            timeout: its longest wait unless it has one of its own, in seconds.
        """
        self.name = awaited.name
        self.pair = (awaited.certificate, awaited.issuer)
        self.timeout = timeout if awaited.timeout is None else awaited.timeout
        # A file from the future (the clock was set back) counts as written just now.
        self.born = now - max(0.0, wall - awaited.saved_at)
        self.deadline = self.born + self.timeout
        old = awaited.in_service
        self.in_service = old if old is not None and responder_urls(old[0]) else None
        self.replaces_revoked = False
        self.answer: Answer | None = None
        self.unknown_until: float | None = None
        self.asked_at = -NEVER
        self.under_way: set[str] = set()
        self.has_ended = False

    def age(self, now: float) -> float:
        """Returns the seconds since it was saved."""
        return now - self.born

    def is_settled(self) -> bool:
        """Tells whether what was answered ends its wait."""
        if self.answer is None:
            return False
        if self.replaces_revoked or self.answer.status in (Status.GOOD, Status.REVOKED):
            return True
        # What becomes of an unknown one depends on whether the one in service is revoked.
        hears_more = self.in_service is not None or "in service" in self.under_way
        return self.has_ended and not (self.answer.status is Status.UNKNOWN and hears_more)


class Schedule:
    """Says whom to ask about when, and is told what was answered.

    Attributes:
        waiting: what is not settled yet, by name, the oldest first.
    """

    def __init__(self, items: Iterable[Waiting], interval: float) -> None:
        """Begins with nobody asked about.

        Args:
            items: what waits; their names differ.
            interval: pause between two questions about one certificate, in seconds.
        """
        self.waiting = {one.name: one for one in sorted(items, key=lambda one: one.born)}
        self._interval = interval
        self._next_turn = -NEVER
        self._next_aside = -NEVER
        self._is_lifted = False
        self._all_at = -NEVER
        self._all_in_service = False

    def is_under_way(self) -> bool:
        """Tells whether a question is not answered yet."""
        return any(one.under_way for one in self.waiting.values())

    def due(self, now: float) -> dict[Question, Pair]:
        """Returns what is to be asked now, and counts it as asked.

        Args:
            now: the time; it never goes back.
        """
        questions: dict[Question, Pair] = {}
        for one in self._due_new(now):
            one.asked_at = now
            one.under_way.add("new")
            questions[one.name, "new"] = one.pair
        for one, pair in self._due_in_service(now):
            one.under_way.add("in service")
            questions[one.name, "in service"] = pair
            one.in_service = None
        return questions

    def pause(self, now: float) -> float:
        """Returns the seconds until something is due again, if no answer comes before."""
        times = [at for _one, at in self._idle()]
        if times and self._takes_turns():
            times.append(self._next_turn)
        left = [one for one in self.waiting.values() if one.in_service is not None]
        if left:
            times += [self._next_aside, *(one.deadline for one in left)]
        return max(0.0, min(times, default=NEVER) - now)

    def heard(self, answers: Mapping[Question, Answer], now: float) -> list[Waiting]:
        """Takes note of answers.

        Args:
            answers: the answers.
            now: when they came.

        Returns:
            Those whose wait has ended by them; they wait no more.
        """
        for (name, which), answer in answers.items():
            one = self.waiting.get(name)
            if one is None:  # its wait has ended by another answer
                continue
            one.under_way.discard(which)
            if which == "new":
                one.answer = answer
                if answer.status is Status.UNKNOWN:
                    one.unknown_until = one.age(one.asked_at)
                one.has_ended = now >= one.deadline
            else:
                one.replaces_revoked = answer.status is Status.REVOKED
                self._all_in_service |= one.replaces_revoked
        settled = [one for one in self.waiting.values() if one.is_settled()]
        for one in settled:
            del self.waiting[one.name]
        if any(one.answer and one.answer.status is Status.GOOD for one in settled):
            if not self._is_lifted or len(self.waiting) <= FEW:
                self._all_at = now
            self._is_lifted = True
        return settled

    def _due_new(self, now: float) -> list[Waiting]:
        """Chooses the new certificates to ask about."""
        idle = list(self._idle())
        chosen = [one for one, at in idle if at <= now]
        if idle and self._takes_turns() and now >= self._next_turn:
            others = [one for one, at in idle if at > now]
            # min() takes the first, which is the oldest, of those asked about at the same time.
            chosen += [min(others, key=lambda one: one.asked_at)] if others else []
            unasked = any(one.asked_at == -NEVER for one in others if one not in chosen)
            rest = PACE if unasked else self._interval / len(self.waiting)
            self._next_turn = now + max(PACE, rest)
        return chosen

    def _takes_turns(self) -> bool:
        """Tells whether there is any use in turns."""
        return not self._is_lifted or self._interval >= PACE * len(self.waiting)

    def _idle(self) -> Iterator[tuple[Waiting, float]]:
        """Yields who can be asked about, each with when it is due even if it is not its turn."""
        for position, one in enumerate(self.waiting.values()):
            if "new" in one.under_way or one.has_ended:
                continue
            at = one.deadline
            if one.replaces_revoked:
                at = -NEVER
            if self._is_lifted:
                at = min(at, one.asked_at + self._interval)
            elif position < OLDEST:
                at = min(at, one.asked_at + max(AT_LEAST, self._interval))
            if one.asked_at < self._all_at:
                at = min(at, max(self._all_at, one.asked_at + PACE))
            yield one, at

    def _due_in_service(self, now: float) -> list[tuple[Waiting, Pair]]:
        """Chooses those to ask about what they have in service."""
        each = [(one, one.in_service) for one in self.waiting.values()]
        left = [(one, pair) for one, pair in each if pair is not None]
        chosen = [one for one in left if self._all_in_service or now >= one[0].deadline]
        if left and not chosen and now >= self._next_aside:
            chosen = left[:1]
            self._next_aside = now + (PACE if len(self.waiting) <= FEW else ASIDE)
        return chosen
