#include "base/str.h"
#include "flow/state.h"
#include "t.h"

int main(void)
{
	for (int s = 0; s < STATE_COUNT; s++) {
		size_t ways = 0;

		T_INT(state_of_word(str_of(state_word(s))), s, "the word %s is the state", state_word(s));
		for (int to = 0; to < STATE_COUNT; to++) {
			ways += state_may_follow(s, to);
			if (state_final(to) && state_final(s))
				T_OK(!state_may_follow(s, to), "nothing follows %s, not %s", state_word(s),
				     state_word(to));
		}
		T_OK(state_final(s) ? !ways : ways > 0, "%s %s", state_word(s),
		     state_final(s) ? "is an end" : "goes on");
		T_OK(!state_good(s) || state_final(s), "only an end is good (%s)", state_word(s));
	}
	T_OK(state_may_follow(STATE_QUEUED, STATE_RUNNING), "queued runs");
	T_OK(!state_may_follow(STATE_WAITING, STATE_RUNNING), "waiting is queued first");
	T_INT(state_of_word(STR("known")), STATE_COUNT, "a word that is no state");
	return t_done();
}
