"""Hypothesis strategies: every record that a segment can hold, with any text that Python has."""

from hypothesis import strategies as st

from pytest_ciopt.core.gates.verdict import Ruling
from pytest_ciopt.core.history.covered import (
    LARGEST,
    CoveredContents,
    CoveredFixture,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
)
from pytest_ciopt.core.history.encoding import LONGEST, shortened
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    Judged,
    ModuleCost,
    Phase,
    RunEnd,
    RunStart,
    Subtest,
    Uncollected,
)
from pytest_ciopt.core.history.totals import Totals
from pytest_ciopt.core.history.traces import (
    Collected,
    Inputs,
    Source,
    Trace,
    TracedCalls,
    TracedFixture,
    TracedImport,
    TracedRead,
    TracedSession,
    TracedTest,
    Units,
)

TEXT = st.text(
    alphabet=st.characters(exclude_categories=()), max_size=40
)  # surrogates and control characters, too
MAYBE = st.none() | TEXT
DURATION = st.integers(0, 10**12).map(lambda micro: micro / 1e6)
OUTCOME = st.sampled_from(["passed", "failed", "skipped", "rerun"])
PHASE = st.builds(Phase, OUTCOME, DURATION, st.just(0.0)) | (
    DURATION.map(lambda took: Phase("passed", took, took))
)
ANY_DURATION = st.floats(0, LONGEST, exclude_max=True)
SUBTEST = st.builds(
    Subtest, TEXT.map(shortened), st.sampled_from(["passed", "failed", "skipped"]), DURATION
)
OBJECT_ID = st.none() | st.from_regex(r"\A[0-9a-f]{40}([0-9a-f]{24})?\Z")
STARTS = st.builds(
    RunStart,
    run=st.from_regex(r"\A[0-9a-f]{12}-[0-9a-f]{20}\Z"),
    started=st.floats(0, 1e10),
    environment=st.builds(Environment, TEXT, TEXT, TEXT, st.none() | TEXT),
    repository=OBJECT_ID,
    commit=OBJECT_ID,
    tree=OBJECT_ID,
    branch=MAYBE,
    dirty=st.booleans(),
    root=TEXT,
    options=st.lists(TEXT, max_size=3).map(tuple),
    shard=MAYBE,
    plan=MAYBE,
    workers=st.integers(0, 512),
    base=OBJECT_ID,
    everything=MAYBE,
    variables=st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
    source=MAYBE,
)
LINE = TEXT.map(shortened)
TOTALS = st.tuples(*(st.integers(0, 10**9) for _ in range(4))).map(
    lambda counts: Totals(*sorted(counts[:2], reverse=True), *sorted(counts[2:], reverse=True))
)
ENDS = st.builds(
    RunEnd,
    st.floats(0, 1e10),
    st.integers(0, 255),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.none() | TOTALS,
    st.lists(st.builds(Judged, LINE, st.sampled_from([*Ruling]), LINE), max_size=3).map(tuple),
    executed=st.integers(0, 10**9),
)
PARTS_OF_RUNS = st.one_of(
    st.builds(
        Attempt,
        id=TEXT | TEXT.map(lambda text: text * 300),
        setup=PHASE,
        call=st.none() | PHASE,
        teardown=st.none() | PHASE,
        attempt=st.integers(1, 99),
        worker=MAYBE,
        xfail=st.booleans(),
        reason=MAYBE,
        failure=MAYBE,
        subtests=st.lists(SUBTEST, max_size=4).map(tuple),
        selected=MAYBE,
    ),
    st.builds(Uncollected, TEXT, st.sampled_from(["failed", "skipped"]), MAYBE),
    st.builds(ModuleCost, TEXT, DURATION, DURATION, MAYBE),
    st.builds(
        FixtureCost,
        TEXT,
        st.sampled_from(["class", "module", "package", "session"]),
        TEXT,
        DURATION,
        DURATION,
        MAYBE,
    ),
    st.builds(
        Benchmark,
        TEXT,
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        *([ANY_DURATION] * 5),
        MAYBE,
        st.none() | ANY_DURATION,
        st.none() | ANY_DURATION,
        MAYBE,
        MAYBE,
        st.none() | ANY_DURATION,
        st.lists(ANY_DURATION, max_size=4).map(tuple),
        MAYBE,
    ),
)
"""What lies between the first and the last line."""
RISING = st.sets(st.integers(0, 10**9), max_size=9).map(sorted).map(tuple)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
TRACE = st.builds(Trace, RISING, TEXTS, TEXTS, RISING, MAYBE)
CONTENTS = st.dictionaries(TEXT, TEXT, max_size=4)
TRACES = st.one_of(
    st.builds(Units, TEXT, TEXTS, MAYBE),
    st.builds(TracedTest, TEXT, TRACE, MAYBE),
    st.builds(TracedFixture, st.integers(0, 10**9), TEXT, TRACE, MAYBE),
    st.builds(TracedImport, TEXT, TRACE, MAYBE),
    st.builds(TracedCalls, st.integers(0, 10**9), RISING, RISING, st.booleans(), MAYBE),
    st.builds(TracedRead, TEXT, RISING, RISING, MAYBE),
    st.builds(TracedSession, TRACE, MAYBE),
    st.builds(Collected, TEXT, TEXT, MAYBE),
    st.builds(Inputs, CONTENTS, CONTENTS, CONTENTS, TEXTS, MAYBE, CONTENTS),
    st.builds(Source, TEXT, st.dictionaries(TEXT, st.tuples(TEXT, TEXT), max_size=4), TEXT),
)
"""What may lie there, too."""
LINE = st.integers(0, LARGEST - 1)
ELEMENTS = st.one_of(
    st.lists(LINE, max_size=4), st.lists(st.tuples(LINE.map(lambda line: -line), LINE), max_size=4)
).map(tuple)
COVERED = st.one_of(
    st.builds(CoveredSet, TEXT, ELEMENTS, st.integers(0, 1 << 80), MAYBE),
    st.builds(CoveredTest, TEXT, RISING, RISING, MAYBE),
    st.builds(CoveredFixture, st.integers(0, 10**9), RISING, RISING, MAYBE),
    st.builds(CoveredSession, RISING, MAYBE),
    st.builds(CoveredContents, CONTENTS, MAYBE),
    st.builds(CoveredRun, st.booleans(), st.booleans(), RISING, TEXT, TEXT, TEXTS, TEXTS, MAYBE),
)
"""And this."""
RECORDS = PARTS_OF_RUNS | STARTS | ENDS
