"""Which rows must go so that no label reaches the next part. The purge lives here, once; no scheme of folds does."""

from __future__ import annotations


def purge(rows: range, boundary: int, *, horizon: int, embargo: int) -> range:
    """Drop the rows whose labels, and the extra gap behind them, reach the part that starts at ``boundary``.

    The label of row i reads rows i + 1 … i + horizon, so a row is kept only if i + horizon + embargo < boundary.

    Parameters
    ----------
    rows : range
        Contiguous positions in the pair's bars.
    boundary : int
        First row of the next part.
    horizon : int
        Length of a label, in bars.
    embargo : int
        Extra gap between the last label and the next part, in bars. Walk-forward folds train on the past alone, so
        the gap lies before the next part, not behind it.

    Returns
    -------
    range
        The kept rows: a head of ``rows``, perhaps empty.

    Raises
    ------
    ValueError
        If ``horizon`` is less than 1 or ``embargo`` is negative.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, sections 7.4.1 and 7.4.2.
    """
    if horizon < 1 or embargo < 0:
        raise ValueError(f"a purge needs horizon ≥ 1 and embargo ≥ 0, got horizon {horizon} and embargo {embargo}")
    return rows[: max(0, boundary - horizon - embargo - rows.start)]
