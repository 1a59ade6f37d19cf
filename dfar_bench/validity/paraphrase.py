"""Say a reason in other words without touching its stance: synonyms, contractions, the order of clauses."""

from __future__ import annotations

import re

from dfar_bench.validity.stance import choice, like, sentences


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.replace("_", " ").split("=") for pair in pairs.split())


# Only words that fit wherever the other stood, and none that bears on the verdict; "_" stands for a space.
SYNONYMS = _table(
    """
    everyone=everybody everybody=everyone someone=somebody somebody=someone anyone=anybody anybody=anyone nobody=no_one
    child=youngster children=youngsters stranger=unknown_person friends=companions colleague=co-worker
    colleagues=co-workers teacher=instructor teachers=instructors boss=superior employer=boss worker=employee
    workers=employees mother=mum father=dad grandfather=grandad grandmother=grandma job=position mistake=error
    mistakes=errors lie=untruth lies=untruths promise=pledge promises=pledges gift=present gifts=presents risk=danger
    risks=dangers danger=hazard dangers=hazards harm=damage anger=rage joy=delight
    pleasure=enjoyment pain=suffering effort=exertion efforts=exertions opportunity=chance option=alternative
    desire=longing requirement=condition rule=regulation rules=regulations obligation=commitment
    agreement=arrangement agreements=arrangements punishment=penalty punishments=penalties reward=recompense
    payment=fee worth=value reasons=grounds purpose=aim purposes=aims outcome=result outcomes=results
    results=outcomes reply=response problem=difficulty problems=difficulties moment=instant
    beginning=start circle=group task=job tasks=jobs
    helps=assists helped=assisted helping=assisting
    shows=demonstrates showed=demonstrated demonstrates=shows
    provide=supply provides=supplies provided=supplied providing=supplying obtain=get obtained=got
    buy=purchase buys=purchases bought=purchased buying=purchasing purchased=bought
    require=call_for requires=calls_for needed=required tries=attempts tried=attempted
    trying=attempting begins=starts began=started starts=begins started=began starting=beginning
    stop=cease stops=ceases stopped=ceased stopping=ceasing allow=permit allows=permits allowed=permitted
    allowing=permitting
    deserve=merit deserves=merits deserved=merited protect=guard protects=guards protected=guarded protecting=guarding
    damages=harms damaged=harmed hurts=injures injures=hurts deceive=mislead deceives=misleads deceived=misled
    deceiving=misleading cheat=swindle cheats=swindles cheated=swindled ensure=make_sure ensures=makes_sure
    received=got finish=complete finished=completed finishing=completing respects=honours respected=honoured
    happen=occur happens=occurs happened=occurred understand=grasp understands=grasps
    enjoys=savours notices=spots noticed=spotted repair=mend repairs=mends
    repaired=mended spoil=ruin spoils=ruins spoiled=ruined ruin=spoil ruins=spoils conceal=hide conceals=hides
    hide=conceal hides=conceals hiding=concealing mention=bring_up mentioned=brought_up vanish=disappear
    permits=allows
    important=significant essential=vital necessary=needed careful=cautious dangerous=hazardous
    dishonest=untruthful generous=big-hearted cruel=heartless selfish=self-centred greedy=grasping large=big big=large
    quick=swift quickly=swiftly slowly=gradually easy=simple difficult=tricky sick=ill ill=sick tired=weary
    afraid=scared sad=unhappy happy=glad glad=happy angry=furious rich=wealthy entire=whole genuine=real
    real=genuine false=untrue strange=odd odd=strange several=a_number_of many=numerous enough=sufficient
    often=frequently usually=normally normally=usually sometimes=at_times rarely=seldom again=once_more
    perhaps=maybe maybe=perhaps probably=in_all_likelihood really=truly truly=really simply=merely merely=simply
    nearly=almost almost=nearly completely=fully fully=completely entirely=wholly suddenly=abruptly openly=frankly
    certainly=surely surely=certainly especially=above_all
    because=since though=although although=though whereas=while however=nevertheless therefore=thus thus=therefore
    already=by_now together=jointly
    person=individual whoever=anyone_who behavior=conduct behaviour=conduct action=deed actions=deeds decision=choice
    situation=case health=well-being definitely=certainly others=other_people animal=creature animals=creatures
    guests=visitors hardly=scarcely habit=custom income=earnings audience=onlookers theft=stealing fraud=deception
    kindness=goodwill favour=good_turn parcel=package minute=moment ordinary=everyday refusing=declining path=track
    prize=award until=till speak=talk customers=buyers customer=buyer soon=before_long exactly=precisely
    permission=consent consent=permission environment=surroundings
    typically=as_a_rule generally=as_a_rule responsibility=duty moreover=besides kids=children restaurant=eatery
    physical=bodily personal=private safety=security activity=pursuit growth=development
    road=street street=road picture=image pictures=images photo=picture car=vehicle city=town
    company=firm shop=store clothes=garments pupil=student pupils=students
    """
)

_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")

# What stands in the text, and what is said instead.
_CONTRACTED = {
    "did not": "didn't",
    "does not": "doesn't",
    "do not": "don't",
    "was not": "wasn't",
    "were not": "weren't",
    "is not": "isn't",
    "are not": "aren't",
    "cannot": "can't",
    "could not": "couldn't",
    "should not": "shouldn't",
    "would not": "wouldn't",
    "will not": "won't",
    "have not": "haven't",
    "has not": "hasn't",
    "had not": "hadn't",
    "it is": "it's",
    "that is": "that's",
    "there is": "there's",
    "i am": "I'm",
}
_SPELLED_OUT = {short: long for long, short in _CONTRACTED.items() if short.endswith("n't")}

_CONDITION_FIRST = re.compile(r"^(If|When|Once|After|Unless) ([^,;:]+?)(?:, then|,| then) ([^,;:]+)\.$")
_NOT_AFTER_TURNING = re.compile(r"\b(?:this|that|it|they|them|he|she|his|her|their|so)\b", re.IGNORECASE)


def paraphrased(text: str, row_id: str) -> str:
    """A text that says the same in other words; what is changed follows from the row's id."""
    return " ".join(_sentence(sentence, f"{row_id}/{place}") for place, sentence in enumerate(sentences(text)))


def _sentence(sentence: str, seed: str) -> str:
    sentence = _turned(sentence)
    table = _CONTRACTED if choice(seed, "contractions", 2) else _SPELLED_OUT
    forms = re.compile(rf"\b(?:{'|'.join(table)})\b", re.IGNORECASE)
    sentence = forms.sub(lambda found: like(table[found[0].lower()], found[0]), sentence)
    return _with_articles(_WORD.sub(_other, sentence))


def _other(found: re.Match[str]) -> str:
    return like(SYNONYMS.get(found[0].lower(), found[0]), found[0])


def _turned(sentence: str) -> str:
    """ "If it rains, the game is off." with its clauses the other way round; only where no pronoun loses its noun."""
    found = _CONDITION_FIRST.match(sentence)
    if found is None or _NOT_AFTER_TURNING.search(found[3]):
        return sentence
    return f"{like(found[3], 'A')} {found[1].lower()} {found[2]}."


def _with_articles(text: str) -> str:
    """Set a and an before the words of the table as their sound demands."""
    replaced = "|".join(sorted({word.split()[0] for word in SYNONYMS.values()}, key=len, reverse=True))

    def article(found: re.Match[str]) -> str:
        right = "an" if found[2][0].lower() in "aeiou" or found[2].lower() == "honest" else "a"
        return f"{like(right, found[1])} {found[2]}"

    return re.sub(rf"\b([Aa]n?) ({replaced})\b", article, text)
