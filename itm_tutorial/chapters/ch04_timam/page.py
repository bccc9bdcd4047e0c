"""The results page of chapter 04."""

from itm_tutorial.chapters.page import Column, Page, Table


def of_world(corpus: str) -> tuple[Column, ...]:
    """The columns of a world of species."""
    where = {"corpus": corpus}
    return (
        Column(f"{corpus}, AP@50 (best possible)", "ap50", where=where, best="best"),
        Column(f"{corpus}, image to text R@1", "image_r1", where=where),
    )


PEOPLE = {"corpus": "people"}

PAGE = Page(
    title="Chapter 04: TIMAM",
    claims=("timam",),
    paragraphs=(
        """Drawn people, size `mini`: 800 people for training and 200 others in the test. R@K counts a description as
        found if a picture of the right person is among the first K. All runs have the same encoders, epochs and
        learning rate; this rate was right for both kinds of loss on the validation people of another seed. `timam`
        learns its own word vectors in all rows but one.""",
        """A judge is a classifier that is trained afterwards to tell image embeddings from caption embeddings. It sees
        half of the people of the test and is asked about the other half; guessing gives 50 %. The two judges are a
        linear classifier (a line) and a small network.""",
        """**CMPL is not better than a triplet loss.** The loss of the largest hinge is better ({does not hold: cmpl
        beats a triplet loss of the hardest (R@1)}; it needs its warm-up, without which training collapses), and the sum
        of hinges is equally good ({too close to say: cmpl beats a triplet loss that sums (R@1)}). Whether CMPC adds to
        CMPM is too close to say ({too close to say: CMPC adds to CMPM (R@1)}), and so is what identification adds to
        `timam` ({too close to say: identification adds to the rest (R@1)}).""",
        """**TIMAM reads the words of BERT, and the small BERT lowers R@1 here.** It is trained in a minute and lowers
        R@1 ({does not hold: a small frozen BERT beats learned words (R@1)}), so `timam` with this BERT is worse than
        `cmpl` ({does not hold: timam beats cmpl (R@1)}). With learned words, `timam` against `cmpl` is too close to say
        ({too close to say: timam with learned words beats cmpl (R@1)}).""",
        """**The adversary has half of the promised effect.** A fresh linear judge tells images from captions less well
        at weight 0.1 ({holds: an adversary of weight 0.1: a fresh line tells images from captions less well (points)}),
        at 0.03 ({holds: an adversary of weight 0.03: a fresh line tells images from captions less well (points)}) and
        at 1.0 ({holds: an adversary of weight 1.0: a fresh line tells images from captions less well (points)}); at 0.3
        it is too close to say ({too close to say: an adversary of weight 0.3: a fresh line tells images from captions
        less well (points)}). For a fresh network it is too close to say at every weight ({too close to say: an
        adversary of weight 0.03: a fresh network tells images from captions less well (points)}; {too close to say: an
        adversary of weight 0.1: a fresh network tells images from captions less well (points)}; {too close to say: an
        adversary of weight 0.3: a fresh network tells images from captions less well (points)}; {too close to say: an
        adversary of weight 1.0: a fresh network tells images from captions less well (points)}). And recall does not
        rise: at weight 0.1 it changes by {too close to say: an adversary of weight 0.1 adds to the rest (R@1)}.""",
        """**Without CMPM, the search fails with an adversary.** Identification alone is better than identification with
        an adversary ({holds: identification alone beats identification with an adversary (R@1)}). One classifier that
        images and captions share aligns them, and it is far better than one classifier for each side ({holds: a
        classifier for both sides beats one each (R@1)}). With one classifier for each side, R@1 is no better than a
        guess: it stays below twice chance ({holds: with a classifier each, R@1 stays below twice chance (points)}).""",
    ),
    tables=(
        Table(
            title="Finding people",
            claim="timam",
            head="model",
            columns=(
                Column("R@1", "t2i/r1", where=PEOPLE),
                Column("R@5", "t2i/r5", where=PEOPLE),
                Column("R@10", "t2i/r10", where=PEOPLE),
                Column("a line tells images from captions", "probe/line", where=PEOPLE),
                Column("a network does", "probe/network", where=PEOPLE),
                Column("training, s", "seconds", where=PEOPLE),
            ),
            rows={
                "chance": "chance",
                "triplet, max": "triplet loss, largest hinge, warm-up",
                "triplet, sum": "triplet loss, sum of hinges",
                "cmpm": "`cmpl` without CMPC",
                "cmpl": "`cmpl`",
                "timam, learned words": "`timam`, adversary of weight 0.1",
                "without identification": "`timam` without identification",
                "without the adversary": "`timam` without the adversary",
                "adversary of weight 0.03": "`timam`, adversary of weight 0.03",
                "adversary of weight 0.3": "`timam`, adversary of weight 0.3",
                "adversary of weight 1.0": "`timam`, adversary of weight 1.0",
                "timam": "`timam` with the small BERT",
                "without matching": "`timam` without matching (CMPM)",
                "identification alone": "`timam`, identification alone",
                "one classifier for both": "instance loss, one classifier for both sides",
                "a classifier each": "instance loss, one classifier each",
            },
            text="Text to image, in percent.",
        ),
        Table(
            title="Finding birds and flowers",
            claim="timam",
            head="model",
            columns=of_world("birds") + of_world("flowers"),
            rows={"cmpl": "`cmpl`", "timam": "`timam`, learned words"},
            text="""Species that training never showed, 20 birds and 17 flowers, after three epochs. AP@50 is the
            measure of the papers; the number in brackets is what a search without mistakes would reach. R@1 is the
            fraction of pictures for which their own species comes first.""",
        ),
    ),
    headlines=(
        """CMPL does **not** beat a triplet loss with the hardest negative on drawn people: {does not hold: cmpl beats a
        triplet loss of the hardest (R@1)} (R@1, points).""",
    ),
)
