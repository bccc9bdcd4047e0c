"""The facts about families and kinds for the lore: plain tables, one row per family or kind.

Bars separate the three columns of a row, commas the entries of a column: parts follow "has" or "have", deeds follow
"can", traits follow "is" or "are". The row of a family holds for all its kinds.
"""

from __future__ import annotations

from itm_tutorial.worlds.scenes.layout import COMPANY as SCENE_COMPANY

FAMILY_LIVES = {  # the verb for being somewhere, singular and plural
    "animal": ("lives", "live"), "bird": ("lives", "live"), "person": ("stands", "stand"),
    "vehicle": ("parks", "park"), "cycle": ("parks", "park"), "boat": ("floats", "float"),
    "aircraft": ("flies", "fly"), "building": ("stands", "stand"), "tree": ("grows", "grow"),
    "flower": ("grows", "grow"), "fruit": ("lies", "lie"), "furniture": ("stands", "stand"),
    "toy": ("lies", "lie"), "vessel": ("stands", "stand"),
}  # fmt: skip

FAMILY_LORE = {  # parts | deeds | traits
    "animal": "four legs, a nose, two ears | walk, run, eat, sleep, drink water | alive, warm, hungry",
    "bird": "two wings, feathers, a beak | lay eggs, sleep, eat seeds | alive, warm, light",
    "person": "two arms, two legs, a face, clothes | talk, walk, eat, sleep | alive, warm, busy",
    "vehicle": "wheels, windows, doors, an engine, lights | drive, stop, use fuel | made of metal, heavy, noisy",
    "cycle": "two wheels, a seat, a frame | roll, carry a rider, stop | made of metal, light, fast",
    "boat": "a hull, a deck | float, cross the water, carry people | wet, made of wood, slow",
    "aircraft": "a light frame | fly, land, cross the sky | light, high, safe",
    "building": "walls, a door, a roof | stand, keep people safe, keep out the rain | safe, dry, useful",
    "tree": "roots, a green crown | grow, stand in the sun, drink rain | alive, green, old",
    "flower": "petals, a stem, green leaves | bloom, grow, smell sweet, drink rain | alive, pretty, bright",
    "furniture": "legs, a frame | stand, hold a load | made of wood, hard, useful",
    "fruit": "a skin, seeds, a stem | grow, fall, feed people | sweet, useful",
    "toy": "bright sides | break, please children, lie on the ground | bright, cheap",
    "vessel": "a mouth, sides | hold things, stand, carry things | empty, full, useful",
}

KIND_LORE = {  # parts | deeds | traits, of this kind only or of a few
    "dog": "soft ears, a wet nose, a thin tail | chase the ball, guard the house, run fast | clever, tame",
    "cat": "pointed ears, a long tail, soft fur | catch mice, climb trees, sleep on the sofa | quiet, tame, clean",
    "horse": "a mane, hooves, strong legs | jump, carry a rider, pull heavy loads, eat grass | fast, strong, tame",
    "cow": "horns, hooves, a thin tail | give milk, eat grass, feed people | slow, heavy, tame",
    "sheep": "wool, hooves, soft ears | give wool, eat grass, follow the dog | slow, soft, tame",
    "pig": "a flat nose, a curly tail, pointed ears | roll, dig, feed people | clever, tame",
    "wolf": "sharp teeth, a bushy tail, pointed ears | hunt deer, chase sheep, run fast | wild, dangerous",
    "fox": "a bushy tail, pointed ears, a white nose | hunt hens, hide, eat eggs | wild, clever, shy",
    "deer": "antlers, thin legs, hooves | jump, hide, eat leaves, run fast | wild, shy",
    "bear": "thick fur, round ears, claws | climb trees, catch fish, sleep all winter | wild, strong, dangerous",
    "duck": "flat feet, a yellow beak, a short neck | swim, dive, fly | wet, noisy",
    "hen": "a red comb, thin legs, a yellow beak | dig, run, feed people | tame, noisy",
    "swan": "a long neck, flat feet, white feathers | swim, glide on the water, fly | pretty, quiet",
    "owl": "round eyes, claws, soft feathers | hunt mice, sit in trees, fly | shy, quiet",
    "parrot": "bright feathers, a long tail, claws | talk, sit in trees, fly | clever, pretty, noisy",
    "penguin": "a white belly, short wings, flat feet | swim, dive, catch fish | wet, slow",
    "man": "a beard, short hair, trousers | work, drive, build houses | tall, clever",
    "woman": "long hair, a dress | work, drive, build houses | tall, strong",
    "boy": "short hair, trousers, small hands | play, dance, go to school | young, noisy",
    "girl": "long hair, a dress, small hands | play, climb trees, go to school | young, fast",
    "car": "four wheels, seats | carry a family, drive fast | fast, low",
    "van": "four wheels, a big back | carry boxes, carry tables | useful, wide",
    "bus": "many seats, many windows | carry many people, stop at every corner | long, full, slow",
    "truck": "six wheels, a huge back | carry heavy loads, carry boxes | long, strong, slow",
    "taxi": "four wheels, seats, a sign on the roof | carry people, stop at every corner | fast, low, busy",
    "tractor": "huge wheels, a chimney | pull heavy loads, dig the ground | strong, slow",
    "bicycle": "pedals, thin wheels, a thin frame | drive with no fuel, please children | quiet, cheap",
    "motorbike": "an engine, thick wheels, lights | drive fast, use fuel | noisy, dangerous",
    "scooter": "an engine, small wheels, a low seat | drive, use fuel | small, cheap",
    "sailboat": "a mast, sails | sail in the wind, glide on the water | pretty, quiet",
    "ship": "a chimney, many windows, an engine | carry boxes, cross the sea | made of metal, huge, heavy",
    "canoe": "a paddle, pointed ends | carry two people, glide on the water | long, low, quiet",
    "plane": "two wings, a tail, an engine, many seats | carry many people, cross the sea | fast, noisy",
    "balloon": "a basket, hot air, ropes | carry two people, glide in the wind | round, quiet, slow",
    "helicopter": "a rotor, a tail, an engine, a window | hang in the air, carry two people | noisy, strong",
    "kite": "a string, a tail, four corners | dance in the wind, please children | cheap, pretty",
    "house": "a chimney, windows, rooms | keep a family warm | warm, made of stone",
    "barn": "a huge door, a wooden roof, hay | keep cows warm, hold hay | made of wood, wide",
    "church": "a bell, a cross, windows | ring, stand in the city | old, quiet, made of stone",
    "tower": "thick walls, a flat roof, a narrow door | guard the city | narrow, tall, made of stone",
    "castle": "thick walls, towers, a huge door | guard the city, guard the beach | old, huge, made of stone",
    "tent": "thin walls, ropes | keep people dry, keep out the wind | light, cheap",
    "windmill": "four sails, a narrow window | turn in the wind, work | old, made of wood",
    "oak": "thick branches, a thick trunk, round leaves | live long, give shade | strong, wide",
    "pine": "needles, a straight trunk | stay green all winter | tall, pointed",
    "palm": "a bare trunk, long leaves | bend in the wind, give shade | tall, warm",
    "birch": "white bark, a thin trunk, small leaves | bend in the wind | pretty, tall",
    "bush": "small leaves, low branches | hide birds | low, round, thick",
    "cactus": "thorns, a thick skin, two arms | hold water, live with no rain | sharp, dry",
    "tulip": "a pointed crown, long leaves | open in spring | smooth, straight",
    "rose": "thorns, soft petals | climb walls, open in summer | sharp, soft",
    "daisy": "a yellow heart, thin petals | live in the grass, open in spring | small, round",
    "sunflower": "a brown heart, a thick stem, seeds | follow the sun, feed birds, open in summer | tall, round",
    "chair": "a back, a seat, four legs | carry one person | light, straight",
    "table": "a flat top, four legs | carry fruit, hold flowers | flat, wide",
    "bench": "a long seat, a back | carry two people | long, wet",
    "sofa": "soft arms, a long seat, a back | carry two people | soft, wide",
    "bed": "a pillow, a soft top, a long frame | carry two people | soft, warm",
    "stool": "a flat seat, four legs | carry one person | small, light",
    "apple": "a thin skin, a leaf, a round belly | hang on trees | round, hard",
    "lemon": "a thick skin, juice, pointed ends | hang on trees, give juice | sour, bright",
    "pear": "a thin skin, a narrow neck, juice | hang on trees | soft, smooth",
    "pumpkin": "a thick skin, a huge belly | lie on the ground, feed pigs | heavy, round",
    "ball": "a round shape, air | roll, jump | round, light",
    "cube": "six sides, corners | make towers | hard, made of wood",
    "drum": "two sticks, a white skin | make noise, dance with children | round, noisy",
    "bucket": "a metal handle, a wide mouth | hold water, carry sand | made of metal, wet",
    "basket": "a wooden handle, a wide mouth | carry fruit, hold eggs | made of wood, light",
    "vase": "a narrow neck, smooth sides | hold flowers, break | pretty, smooth",
}

GROUP_TRAITS = {
    "creature": "alive, able to move",
    "plant": "alive, able to grow",
    "transport": "made to travel, able to move",
    "artefact": "made by people, useful",
}

LOOKALIKES = (  # pairs of one family that the lore compares more often than others
    "dog wolf, wolf fox, dog fox, horse cow, horse deer, cow sheep, pig bear, cow pig, duck swan, duck hen, "
    "owl parrot, owl penguin, man boy, woman girl, man woman, boy girl, car taxi, van truck, bus truck, bus van, "
    "motorbike scooter, ship canoe, plane helicopter, balloon kite, house barn, castle tower, tower windmill, "
    "house church, oak birch, oak bush, palm cactus, tulip rose, daisy sunflower, chair stool, table stool, "
    "sofa bed, bench chair, apple pear, apple lemon, ball drum, bucket basket"
)

MORE_COMPANY = (  # pairs of different families that go together, in addition to those of the scenes
    "horse man, cow barn, sheep dog, pig barn, wolf pine, fox hen, deer birch, bear pine, swan canoe, owl oak, "
    "parrot palm, penguin ship, car house, van house, bus church, truck man, taxi man, motorbike woman, "
    "scooter girl, sailboat man, ship tower, canoe boy, plane tower, balloon basket, helicopter ship, castle oak, "
    "tent canoe, windmill tulip, cactus tent, bush house, rose vase, tulip vase, daisy girl, sunflower barn, "
    "chair table, bench oak, bed cat, stool barn, lemon basket, pear basket, pumpkin barn, cube boy, drum boy, "
    "bucket ball, bucket cow, basket apple"
)


def pairs(table: str) -> list[tuple[str, str]]:
    """The pairs of a table, in both orders."""
    found = [tuple(pair.split()) for pair in table.split(",")]
    return found + [(b, a) for a, b in found]


def company() -> list[tuple[str, str]]:
    """Pairs of kinds that go together, in both orders."""
    return pairs(MORE_COMPANY + ", " + ", ".join(" ".join(pair) for pair in SCENE_COMPANY))
