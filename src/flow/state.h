/*
 * flow/state.h: the states of units, attempts and runs (defs/states.def). flow/run is the only writer.
 */
#ifndef LEAT_FLOW_STATE_H
#define LEAT_FLOW_STATE_H

#include "base/base.h"

enum state {
#define S(name, word, final, good, from, text) STATE_##name,
#include "defs/states.def"
#undef S
	STATE_COUNT
};

const char *state_word(enum state s); /* "retry-wait" */
const char *state_text(enum state s);
bool state_final(enum state s);
bool state_good(enum state s);
/* Whether the table allows the step; the same state again is never one. */
bool state_may_follow(enum state from, enum state to);
/* STATE_COUNT if there is no such word. */
enum state state_of_word(struct str word);

#endif
