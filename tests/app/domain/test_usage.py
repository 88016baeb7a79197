import pytest

from app.domain.usage import Facts, concentration, sentence, topic_of, version_of


@pytest.mark.parametrize(
    ("operation", "version"),
    [
        ("GET /v1/issues/{id}", "v1"),
        ("GET /V2", "v2"),
        ("POST /api/v3.1/x", "v3.1"),
        ("GET /admin/api/2024-07/orders.json", "2024-07"),
        ("GET /rest/2022-11-28/x", "2022-11-28"),
        ("GET /a/b/c/v9", None),
        ("GET /version/x", None),
        ("GET /v1000/x", None),
        ("GET /", None),
        ("webhook v1", None),
        ("other", None),
        ("", None),
    ],
)
def test_the_version_of_an_api_stands_in_the_first_segments_of_a_path(operation, version):
    assert version_of(operation) == version


def test_only_a_webhook_has_a_topic():
    assert topic_of("webhook issue.created") == "issue.created"
    assert topic_of("GET /webhook") is None
    assert topic_of("webhook") is None


def test_concentration_is_the_part_of_the_greatest_few():
    found = concentration([1, 50, 9, 10, 10, 10, 10])
    assert found == {1: (50, 100), 5: (90, 100), 10: (100, 100)}
    assert concentration([]) == {1: (0, 0), 5: (0, 0), 10: (0, 0)}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(7, 0, 0, 0, 0, 0), "Nobody used it in this time."),
        (
            Facts(7, 0, 0, 0, 0, 1200),
            "1,200 calls name no installation, so nobody knows who uses it.",
        ),
        (Facts(1, 1, 0, 1, 0, 5), "1 installation used it in one day, 1 of them new."),
        (
            Facts(28, 120, 100, 30, 10, 5000),
            "120 installations used it in 28 days, 20 more than before: 30 came, 10 fell silent.",
        ),
        (
            Facts(28, 90, 100, 0, 10, 5000),
            "90 installations used it in 28 days, 10 fewer than before: 0 came, 10 fell silent.",
        ),
        (
            Facts(28, 100, 100, 0, 0, 5000, 0.6, 40, 2),
            "100 installations used it in 28 days, as many as before. One customer of 40 makes "
            "60\u202f% of the exchanges. 2 deprecated operations are still called.",
        ),
        (
            Facts(28, 2, 2, 0, 0, 5000, 0.9, 2, 1),
            "2 installations used it in 28 days. 1 deprecated operation is still called.",
        ),
    ],
)
def test_the_sentence_says_how_many_whether_it_grows_and_on_whom_it_hangs(facts, said):
    assert sentence(facts) == said
