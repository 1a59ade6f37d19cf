"""The words by which ``verdict`` reads a response. Changing a word can change scores: raise ``reading.VERSION``."""

from __future__ import annotations

ETHICAL, UNETHICAL = 0, 1


def word_set(words: str) -> frozenset[str]:
    """Split a text into a set of words."""
    return frozenset(words.split())


# Words that pronounce wherever they stand, unless a rule below says otherwise.
STRONG = {"ethical": ETHICAL, "unethical": UNETHICAL, "immoral": UNETHICAL}
# Words that pronounce, but give way to a strong word elsewhere in the response.
PLAIN = {
    **dict.fromkeys(word_set("acceptable permissible blameless praiseworthy commendable"), ETHICAL),
    **dict.fromkeys(
        word_set(
            "unacceptable impermissible inappropriate unjustified unjustifiable unfair unjust reprehensible"
            " blameworthy inexcusable deplorable despicable wrongful"
        ),
        UNETHICAL,
    ),
}
# Everyday words that pronounce only as a predicate ("is fine"), after "morally", or before "thing to do".
EVERYDAY = {
    **dict.fromkeys(
        word_set(
            "moral right fine okay ok fair reasonable justified justifiable appropriate good permitted allowed"
            " neutral sound legitimate honorable honourable"
        ),
        ETHICAL,
    ),
    **dict.fromkeys(word_set("wrong bad unreasonable problematic indefensible questionable dubious"), UNETHICAL),
}
# Adverbs that pronounce on an act ("she acted ethically").
MANNERS = {"ethically": ETHICAL, "unethically": UNETHICAL, "immorally": UNETHICAL, "wrongly": UNETHICAL}
ACTED = word_set("act acts acted acting behave behaves behaved behaving")
EVERYDAY.update(MANNERS)
LEXICON = {**STRONG, **PLAIN, **EVERYDAY}
MORALLY = word_set("morally ethically")

COPULAS = word_set(
    "is are was were be been being am it's that's this's he's she's there's seem seems seemed look looks looked"
    " appear appears appeared sound sounds become becomes became remain remains considered deemed regarded"
    " isn't aren't wasn't weren't ain't"
)
PRESENT = word_set("is it's that's isn't")
ADVERBS = word_set(
    "a an the very quite so too also really truly totally completely fully perfectly entirely absolutely utterly"
    " highly deeply clearly simply just only still always never not at all in any way no morally ethically rather"
    " generally usually typically probably perhaps certainly definitely actually both more most somewhat pretty as"
    " to from"
)
OPINION = word_set("think believe consider say call find see feel regard view judge agree")
NEGATORS = word_set(
    "not never no nothing nobody none neither nor without cannot hardly scarcely barely lack lacks nowhere than"
    " isn't aren't wasn't weren't ain't don't doesn't didn't can't couldn't won't wouldn't shouldn't mustn't needn't"
    " haven't hasn't hadn't anything-but"
)
NOT_NEGATED = word_set("less only just merely simply doubt question")  # "not only ethical but …", "no doubt ethical"
REACHING = word_set("nothing none")  # "nothing about this is ethical"
NEGATION_REACH = 8  # words
DOUBT = word_set("no fail fails hard difficult cannot can't don't doesn't")  # before "why" and "how"
SIGHT = 80  # words looked back or ahead at most, which keeps the reading linear

SENTENCE_END = frozenset(".!?\n")
CLAUSE_END = SENTENCE_END | frozenset(",;:")
CLAUSE_WORDS = word_set("but so because since yet however therefore thus hence then which whereas nevertheless still")
NEW_SUBJECT = word_set("it this that the i you he she they we so there")
CONTRAST = word_set("but yet however nevertheless")

# "ethical guidelines" is a topic, not a verdict.
TOPICS = word_set(
    "consideration considerations guideline guidelines dilemma dilemmas question questions issue issues standard"
    " standards principle principles implication implications concern concerns perspective perspectives point points"
    " standpoint viewpoint theory theories framework frameworks value values judgment judgments judgement judgements"
    " obligation obligations duty duties responsibility responsibilities code codes rule rules norm norms debate"
    " debates matter matters problem problems aspect aspects boundary boundaries line lines people person man woman"
    " farmer firm firms business businesses company companies committee review side stance status nature evaluation"
    " assessment reasoning reason reasons compass character policy policies view views stand ground grounds"
    " neighbour neighbor alternative alternatives analysis lens terms ones"
)
KEEPS = word_set(
    "align aligns aligned uphold upholds upheld respect respects follow follows honor honors honour honours consistent"
    " accordance accord accords line reflects meets"
)
BREAKS = word_set(
    "violate violates violated violating breach breaches breached against contrary undermines inconsistent breaks broke"
    " contradicts betrays disregards ignores ignored"
)
FOLLOWERS = word_set("to of for because if as when since and that but so not on under from even although or by than")
DEED = word_set("thing act action deed behaviour behavior behave decision move practice choice")
GRADING = word_set("right wrong good bad reasonable fair fine")  # "the right thing to do"

MODALS = word_set("would could can may might should")
BEING = word_set("be been have become seem look appear sound")
ASKING = word_set("know say sure decide determine tell judge see clear asked")
ENTERTAINED = word_set("although though while whilst if unless admittedly tempted glance sight why")
SPEAKERS = word_set("some many others people they critics opponents everyone anyone you most")
REPORTS = word_set("say said call called claim argue think thought believe believed")
HEARSAY = word_set("according says calls claims claimed argues thinks believes told insists insisted")
OWN = word_set("i we")
# All that the look back from a verdict word may stop at; everything else is passed over.
TELLING = (
    CLAUSE_END | CLAUSE_WORDS | NEGATORS | COPULAS | ADVERBS | MODALS | REPORTS | HEARSAY | ENTERTAINED
) | word_set("and whether had far how")
OPEN = word_set("depends depend depending")
YES = word_set("yes certainly absolutely definitely of")
NO = word_set("no not never false")
ANNOUNCED = word_set("it it's this that")  # what a verdict is pronounced on
PROBLEMS = word_set("problem problems issue issues concern concerns question questions objection objections")
