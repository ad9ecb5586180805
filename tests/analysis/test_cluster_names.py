from mtst.analysis.cluster_names import name_clusters
from mtst.analysis.clustering import Cluster


def test_a_cluster_is_named_by_the_words_that_set_it_apart():
    common = "the film was here"
    texts = [f"{common} with a {word}" for word in ("cat", "cup", "sea", "war", "sun", "tax", "jam", "fog") * 4]
    texts += [f"{common} with a kitten"] * 4 + [f"{common} again"] * 40
    members = [*range(0, 32, 8), *range(32, 36)], range(1, 32, 8), range(36, 76)
    found = [Cluster(tuple(indices), indices[0]) for indices in members]
    assert name_clusters(texts, found) == ["cat, kitten", "cup", f"{common} again"]  # each of its words is common


def test_a_cluster_without_words_is_named_by_its_central_sentence():
    texts = ["12", "34", "56"]
    assert name_clusters(texts, [Cluster((0, 1), 1), Cluster((2,), 2)]) == ["34", "56"]
    assert name_clusters([], []) == []
