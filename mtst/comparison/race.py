"""Which scenarios are stopped early, so that a comparison costs about 1.5 times its dearest scenario by itself.

Attempts come round by round, a round being all scenarios with one seed on one fold. Scenarios that cost next to nothing
come first and are never stopped. Of the others:

- After each round, what is shown to be worse than the leader stops. Then, from the lowest expected score upwards, what
  there is no time for: the others must be able to run the next round, and any one of them all rounds after it
  (successive halving, Karnin, Koren and Somekh 2013, with folds as the resource).
- In the first attempt with a scenario, after a third of its epochs, it stops if there is no time for the rest of them,
  for such a look at each scenario after it, and for the remaining rounds of the dearest so far. Unless it is ahead of
  what the others had reached at that point, or, if there is no time even without these looks, of what they have
  reached in the end, or within chance of it.

A race starts from what is known: what public sets say of two scenarios joins what the rows say, each by its certainty
(`mtst.comparison.best_guess`). Where a first look is clear by itself, they are not asked. The scenario that they expect
most of takes the first turn after those that cost next to nothing.

Time is counted in the passes through the encoder that `mtst.comparison.cost` plans, so it is the same on every machine.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import mean

from mtst.comparison.best_guess import expectation_of, expected_gains, weigh, worth_most
from mtst.comparison.bootstrap import interval
from mtst.comparison.difference import Draws
from mtst.comparison.events import Attempt, AttemptEpoch, Dropped, DropReason
from mtst.comparison.known_results import MIN_SETS, Expectation
from mtst.comparison.results import Comparison
from mtst.evaluation.scores import mean_macro_f1, standard_error

# Times the dearest scenario by itself. The rest of 1.5 is for what no scenario needs by itself, and for what the
# dearest saves by ending before its last epoch in rounds that it does not run: on 300 rows of TREC 1.35 came to 1.53.
BUDGET = 1.3
NEXT_TO_NOTHING = 0.1  # of the dearest scenario's cost: never stopped
EARLY = 1 / 3  # of the epochs, after which the first look is taken
MIN_EPOCHS = 3
# Two scenarios are right about most of the same rows, so their difference varies less by chance than either score.
CHANCE = 0.5  # standard errors of a validation score
CLEAR = 2  # standard errors behind at the first look, against which public sets say nothing


def order_of_turns(costs: Mapping[str, float], expected: Expectation | None) -> list[str]:
    """Return the order in which the scenarios take their turns in a round.

    Args:
        costs: of an attempt with each scenario.
        expected: what public sets say; without it the cheapest comes first.
    """
    free = NEXT_TO_NOTHING * max(costs.values(), default=0.0)
    gains = expected.gains if expected else {}
    return sorted(costs, key=lambda key: (costs[key] > free, -gains.get(key, 0.0) * (costs[key] > free), costs[key]))


class Costs:
    """What the attempts of a comparison cost, by its events so far.

    Those on one task alone are not counted: they are there for another question.

    Attributes:
        racing: the scenarios that run and may be stopped, the cheapest first.
        free: the cost of one round of those that may not.
        spent: the cost of all attempts so far.
        budget: what all may cost.
        rounds_left: how many rounds have not begun.
    """

    def __init__(self, comparison: Comparison) -> None:
        started = comparison.started
        self._planned = started.costs
        self._begun = {one: share for one, share in _epochs_taken(comparison).items() if one.task is None}
        self._ended = {one: share for one, share in self._begun.items() if one in comparison.completed}
        self._exempt = {one.scenario for one in started.attempts if one.task is not None}
        rounds = {one.round for one in started.attempts}
        dearest = max(map(self.of, self._planned), default=0.0)
        self._exempt |= {key for key in self._planned if self.of(key) <= NEXT_TO_NOTHING * dearest}
        running = [key for key in self._planned if key not in comparison.dropped]
        self.racing = sorted((key for key in running if key not in self._exempt), key=self.of)
        self.free = sum(self.of(key) for key in running if key in self._exempt)
        self.spent = sum(self._planned[one.scenario] * share for one, share in self._begun.items())
        self.rounds_left = len(rounds - {one.round for one in self._begun})
        self.budget = BUDGET * len(rounds) * dearest

    def of(self, scenario: str) -> float:
        """Return the cost of an attempt: as planned, but for the epochs that those before did without."""
        own = [share for one, share in self._ended.items() if one.scenario == scenario]
        return self._planned[scenario] * (mean(own) if own else 1.0)

    def is_rival(self, one: Attempt, attempt: Attempt) -> bool:
        """Return whether one attempt is of another scenario that could be stopped too."""
        return one.task is None and one.scenario not in {attempt.scenario, *self._exempt}

    def time_for_rest(self, attempt: Attempt, *, looks: bool) -> bool:
        """Return whether the rest of an attempt fits in, besides all rounds that are left of the dearest so far.

        With `looks`, besides a look at each scenario after it as well.
        """
        not_begun = self._not_begun(attempt)
        dearest = max(self.of(key) for key in self.racing if key not in not_begun)
        later = EARLY * sum(map(self.of, not_begun)) if looks else 0.0
        return self.spent + self._rest(attempt) + later + self.rounds_left * (self.free + dearest) <= self.budget

    def _rest(self, attempt: Attempt) -> float:
        return self._planned[attempt.scenario] * (1 - self._begun[attempt])

    def _not_begun(self, attempt: Attempt) -> list[str]:
        """Return the scenarios that follow in the round of an attempt."""
        begun = {one.scenario for one in self._begun if one.round == attempt.round}
        return [key for key in self.racing if key not in begun]


def _epochs_taken(comparison: Comparison) -> dict[Attempt, float]:
    """Return the share of its epochs that each attempt has taken so far."""
    return {one.attempt: one.epoch / one.epochs if one.epochs else 1.0 for one in comparison.epochs}


def behind_in_rounds(comparison: Comparison) -> list[Dropped]:
    """Return the scenarios to stop before the next round; none in the middle of a round."""
    attempt = comparison.current
    begun = {one.round for one in comparison.tried}
    if attempt is None or not begun or attempt.round in begun:
        return []
    costs, results = Costs(comparison), {row.scenario: row.score for row in comparison.results}
    if not costs.racing:
        return []
    running = {key: score for key, score in results.items() if key not in comparison.dropped}
    leader = max(running, key=running.__getitem__)
    draws = Draws(comparison)
    worse = [key for key in costs.racing if key != leader and interval(draws.difference(key, leader))[1] < 0]
    racing = [key for key in costs.racing if key not in worse]

    def dropped(key: str, reason: DropReason, leader: str) -> Dropped:
        return Dropped(key, len(comparison.ended_of(key)), running[key], leader, running[leader], reason)

    stopped = [dropped(key, "worse", leader) for key in worse]
    if racing:
        standing = _standing(comparison, draws, racing, running)
        first = worth_most({key: standing[key] for key in racing}, {key: costs.of(key) for key in racing})
        stopped += [dropped(key, "budget", first) for key in _too_many(first, racing, standing, costs)]
    return stopped


def _standing(
    comparison: Comparison, draws: Draws, racing: Sequence[str], scores: Mapping[str, float]
) -> Mapping[str, float]:
    """Return the gain that is expected of each scenario; their scores where public sets do not know all of them."""
    expected = expectation_of(comparison)
    gains = expected_gains(list(scores), draws, expected) if expected else {}
    return gains if set(racing) <= gains.keys() else scores


def _too_many(first: str, racing: list[str], scores: Mapping[str, float], costs: Costs) -> list[str]:
    """Return those that there is no time for: the others have time for the next round, and any one for all after it."""
    time = costs.budget - costs.spent - costs.rounds_left * costs.free
    kept = [first]
    for key in sorted((key for key in racing if key != first), key=scores.__getitem__, reverse=True):
        next_round = [costs.of(other) for other in (*kept, key)]
        if sum(next_round) + (costs.rounds_left - 1) * max(next_round) <= time:
            kept.append(key)
    return [key for key in racing if key not in kept]


def behind_in_epochs(comparison: Comparison, epoch: AttemptEpoch) -> Dropped | None:
    """Return whether the first attempt with a scenario is to be stopped after an epoch."""
    attempt, costs = epoch.attempt, Costs(comparison)
    is_first = attempt.task is None and all(one.scenario != attempt.scenario for one in comparison.completed)
    if not is_first or epoch.epoch != _first_look(epoch) or attempt.scenario not in costs.racing:
        return None
    rivals = [
        one for one in comparison.epochs if one.attempt.round == attempt.round and costs.is_rival(one.attempt, attempt)
    ]
    if not rivals or costs.time_for_rest(attempt, looks=True):
        return None
    error = standard_error(epoch.validation)
    chance, tolerated = CHANCE * error, 0.0
    if costs.time_for_rest(attempt, looks=False):
        rivals = [one for one in rivals if one.epoch == _first_look(one)]
    else:
        tolerated = chance
    leader = max(rivals, key=lambda one: mean_macro_f1(one.validation))
    score, highest = mean_macro_f1(epoch.validation), mean_macro_f1(leader.validation)
    ahead = score - highest
    expected = expectation_of(comparison)
    known = expected.differences(attempt.scenario, leader.attempt.scenario) if expected else []
    if len(known) >= MIN_SETS and ahead > -CLEAR * error:
        ahead = weigh(ahead, chance**2, known)
    if ahead >= -tolerated:
        return None
    return Dropped(attempt.scenario, 0, score, leader.attempt.scenario, highest, "budget", epoch.epoch)


def _first_look(epoch: AttemptEpoch) -> int:
    """Return the epoch after which an attempt is looked at; 0 for never."""
    return ceil(EARLY * epoch.epochs) if epoch.epochs >= MIN_EPOCHS else 0
