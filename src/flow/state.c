#include "flow/state.h"

#include "base/str.h"

static const struct {
	const char *word, *from, *text;
	bool final, good;
} states[STATE_COUNT] = {
#define S(name, w, f, g, fr, t) [STATE_##name] = {.word = w, .from = fr, .text = t, .final = f, .good = g},
#include "defs/states.def"
#undef S
};

const char *state_word(enum state s)
{
	return states[s].word;
}

const char *state_text(enum state s)
{
	return states[s].text;
}

bool state_final(enum state s)
{
	return states[s].final;
}

bool state_good(enum state s)
{
	return states[s].good;
}

bool state_may_follow(enum state from, enum state to)
{
	struct str list = str_of(states[to].from), word;

	while (list.n) {
		if (!str_cut(list, ' ', &word, &list)) {
			word = list;
			list.n = 0;
		}
		if (str_is(word, states[from].word))
			return true;
	}
	return false;
}

enum state state_of_word(struct str word)
{
	for (int s = 0; s < STATE_COUNT; s++)
		if (str_is(word, states[s].word))
			return s;
	return STATE_COUNT;
}
