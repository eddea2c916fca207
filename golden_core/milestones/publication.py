"""The evidence of P6.M3: cards, papers and the list of archived files, from the suite that the home holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from golden_core.milestones.place import Place
from golden_core.publication.bundle import documents, manifest, write_results
from golden_core.publication.cards import FILES, cards
from golden_core.store.lake import Home
from golden_core.study import Study

_ARCHIVE = "README.md"  # of the archive alone
READ = ("CHANGELOG.md", "pyproject.toml")


def publication_pages(place: Place, home: Home, study: Study) -> dict[str, str]:
    """Return the deliverables of P6.M3: cards, papers for people to fill in, notes, and every archived result's hash.

    ``bundle.csv`` lists tables, study, manifests and inputs: what does not change with the next commit. The rest of an
    archive is listed in the bag's own manifest.

    Raises
    ------
    IncompleteError
        If the warehouse does not hold the whole suite.
    """
    pages = cards(home, study)
    papers = documents(place.repository, study, None)  # which is signed later, and with it another one
    papers = {name: text for name, text in papers.items() if name != _ARCHIVE}
    papers["release.md"] = papers.pop("release_notes.md")
    with tempfile.TemporaryDirectory(prefix="golden-bundle-") as scratch:
        write_results(home, study, Path(scratch))
        (Path(scratch) / "results.json").unlink()  # names the commit
        listed = manifest(Path(scratch)).write_csv()
    return {**{name: pages[name] for name in FILES.values()}, **papers, "bundle.csv": listed}
