/* sys/env, dl, term, rand. */
#include <stdlib.h>
#include <unistd.h>

#include "sys/dl.h"
#include "sys/env.h"
#include "sys/rand.h"
#include "sys/term.h"
#include "t.h"

static struct arena *a;

static void test_overrides(void)
{
	static const char *const environment[] = {"PATH=/bin", "LEAT__SLOTS=4", "LEAT__POOLS__PG=2=3",
	                                          "LEAT_CLOCK=x", "LEAT__=y",
	                                          "LEAT__MEMO_KEEP=", "LEAT__NOVALUE", NULL};
	struct env_overrides o;

	env_override_list(a, environment, &o);
	if (!T_INT(o.n, 3, "three variables override settings"))
		return;
	T_OK(!strcmp(o.p[0].key.p, "memo_keep") && !o.p[0].value.n, "one underscore stays, an empty value counts");
	T_OK(!strcmp(o.p[1].key.p, "pools.pg") && !strcmp(o.p[1].value.p, "2=3"),
	     "two underscores are a level, the value is whole");
	T_STR(o.p[2].variable, "LEAT__SLOTS", "the variable is kept for messages");
}

static void test_build(void)
{
	struct env v;
	const char *const *list;

	env_init(&v, a);
	env_set(&v, "AB", "1");
	env_set(&v, "A", "2");
	env_setf(&v, "C", "%d", 3);
	env_set(&v, "AB", "4");
	env_unset(&v, "A");
	env_unset(&v, "none");
	list = env_array(&v);
	T_OK(!strcmp(list[0], "AB=4") && !strcmp(list[1], "C=3") && !list[2],
	     "an environment is what was set, in order");
	env_set(&v, "D", "5");
	list = env_array(&v);
	T_OK(!strcmp(list[2], "D=5") && !list[3], "and can grow after it was given");
	T_STR(env_get(&v, "AB"), "4", "a variable is found");
	T_STR(env_get(&v, "B"), NULL, "by its whole name");
}

static int (*answer)(int);
static void *missing = &missing;

static void test_libraries(void)
{
	static const char *const paths[] = {"/no/such/place/libc.so", "libc.so.6", NULL};
	static const char *const none[] = {"libleat-none.so.1", NULL};
	struct dl_symbol symbols[] = {DL_SYM(abs, answer),
	                              {.name = "leat_no_such_function", .where = &missing, .optional = true}};
	struct dl_lib lib = {.name = "C", .paths = paths, .symbols = symbols, .n_symbols = 2};
	struct dl_lib absent = {.name = "Nothing", .package = "libnothing1", .paths = none, .symbols = symbols,
	                        .n_symbols = 2};
	struct err e = ERR_INIT;

	T_INT(dl_load(&absent, &e), -1, "a library that is not there");
	T_ERR(&e, ERR_NO_LIBRARY, "Nothing is not installed (apt install libnothing1)", "names the package to install");
	T_OK(!answer && missing == &missing, "and fills nothing");
	symbols[1].optional = false;
	T_INT(dl_load(&lib, &e), -1, "a library without a function that is needed");
	T_ERR(&e, ERR_NO_LIBRARY, "has no function leat_no_such_function", "names the function");
	T_OK(!answer, "and fills nothing either");
	symbols[1].optional = true;
	T_NO_ERR(dl_load(&lib, &e), &e, "one that is there is loaded");
	T_OK(answer && answer(-3) == 3 && !missing, "functions are filled, an optional one that is absent is NULL");
	T_STR(lib.path, "libc.so.6", "it is known where it was found");
	T_OK(dl_there(&lib) && !dl_there(&absent), "one can ask without an error");
}

static void test_term(void)
{
	int fds[2];

	if (pipe(fds))
		T_SKIP_ALL("no pipe");
	unsetenv("CLICOLOR_FORCE");
	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	T_OK(!term_is_tty(fds[1]) && !term_colour(fds[1]), "a pipe is no terminal and has no colour");
	T_INT(term_columns(fds[1]), 80, "and 80 columns");
	setenv("COLUMNS", "132", 1);
	T_INT(term_columns(fds[1]), 132, "COLUMNS counts");
	setenv("COLUMNS", "wide", 1);
	T_INT(term_columns(fds[1]), 80, "if it is a number");
	setenv("COLUMNS", "3", 1);
	T_INT(term_columns(fds[1]), 20, "and not too small");
	setenv("CLICOLOR_FORCE", "1", 1);
	T_OK(term_colour(fds[1]), "colour can be forced");
	setenv("NO_COLOR", "1", 1);
	T_OK(!term_colour(fds[1]), "NO_COLOR wins");
	setenv("LC_ALL", "C", 1);
	setenv("LANG", "en_GB.UTF-8", 1);
	T_OK(!term_utf8(), "LC_ALL decides before LANG");
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	T_OK(term_utf8(), "LANG decides alone");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	char one[RAND_ID], two[RAND_ID];

	a = arena_new();
	test_overrides();
	test_build();
	test_libraries();
	test_term();
	rand_id(one);
	rand_id(two);
	T_OK(strlen(one) == 32 && strspn(one, "0123456789abcdef") == 32 && strcmp(one, two),
	     "ids are 32 hex digits and differ");
	arena_free(a);
	return t_done();
}
