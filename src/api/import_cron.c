/*
 * crontab(5): a line of five fields or an @word and a command is a job; what stands before a line as NAME=VALUE holds
 * for it. An unescaped % ends the command, what follows is its standard input. In /etc/crontab and /etc/cron.d a sixth
 * field names the user.
 */
#include <ctype.h>

#include "api/import.h"
#include "base/cron.h"
#include "base/str.h"
#include "flow/jobparse.h"

struct tab {
	struct import *im;
	const char *file;
	int line;
	bool with_user;
	struct str shell, path, zone;
	struct dom *env;     /* of the lines from here on */
	bool said_user, said_mail;
	size_t n_bad;
	int first_bad;
	const char *bad;
};

static struct str take_word(struct str *rest)
{
	size_t n = 0, skip;
	struct str word;

	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	word = str_sub(*rest, 0, n);
	for (skip = n; skip < rest->n && (rest->p[skip] == ' ' || rest->p[skip] == '\t'); skip++)
		;
	*rest = str_sub(*rest, skip, rest->n);
	return word;
}

static struct str unquoted(struct str s)
{
	s = str_trim(s);
	return s.n > 1 && (*s.p == '"' || *s.p == '\'') && s.p[s.n - 1] == *s.p ? str_sub(s, 1, s.n - 2) : s;
}

/* NAME = VALUE */
static bool is_setting(struct str line, struct str *name, struct str *value)
{
	struct str n, v;

	if (!str_cut(line, '=', &n, &v))
		return false;
	n = unquoted(n);
	if (!keys_is_ident(n))
		return false;
	*name = n;
	*value = unquoted(v);
	return true;
}

static void setting(struct tab *t, struct str name, struct str value)
{
	struct arena *a = t->im->a;
	struct dom *env;

	if (str_is(name, "SHELL")) {
		t->shell = value;
	} else if (str_is(name, "PATH")) {
		t->path = value;
	} else if (str_is(name, "CRON_TZ") || str_is(name, "TZ")) {
		t->zone = value;
	} else if (str_is(name, "MAILTO") || str_is(name, "MAILFROM")) {
		if (!t->said_mail)
			import_note(t->im, IMPORT_LEFT, t->file, t->line, NULL,
			            "%.*s: what a job prints is its log, `leat logs JOB`",
			            STR_ARG(name));
		t->said_mail = true;
	} else if (str_is(name, "HOME") || str_is(name, "LOGNAME")) {
		import_note(t->im, IMPORT_LEFT, t->file, t->line, NULL, "%.*s", STR_ARG(name));
	} else {
		env = t->env ? dom_copy(a, t->env) : dom_new(a, DOM_MAP);
		if (dom_get(env, arena_cstr(a, name)))
			*dom_get(env, arena_cstr(a, name)) = *dom_new_str(a, import_plain(a, value));
		else
			dom_set_str(a, env, arena_cstr(a, name), import_plain(a, value));
		t->env = env;
	}
}

/* The program that a command runs: "cd /x && FOO=1 /usr/bin/env python3 a/report.py -v >log" is "report". */
static struct str name_of(struct arena *a, struct str command)
{
	static const char *const skip[] = {"env",    "nice",  "ionice", "nohup",   "time", "sudo",    "exec",    "bash",
	                                   "sh",     "perl",  "node",   "php",     "ruby", "Rscript", "flock",   "[",
	                                   "python", "timeout", "python3", "chronic", "test", "command", "run-parts"};
	struct str rest = command, best = STR_NULL;

	for (size_t i = 0; i < 64 && rest.n; i++) {
		struct str word = take_word(&rest), dir, base = word, stem, ext;
		bool passed = false;

		if (str_is(word, "cd") || str_is(word, "source") || str_is(word, ".")) {
			take_word(&rest);
			continue;
		}
		if (str_rcut(word, '/', &dir, &base) && !base.n)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(skip); k++)
			passed |= str_is(base, skip[k]);
		if (passed && !best.p)
			best = base;
		if (passed || !base.n || !isalpha((unsigned char)*base.p) || memchr(base.p, '=', base.n))
			continue;
		if (str_rcut(base, '.', &stem, &ext) && stem.n && ext.n <= 4)
			base = stem;
		return import_name(a, base);
	}
	return best.p ? import_name(a, best) : STR("job");
}

/* Parts a command at its first % that no \ stands before; \% is a %. */
static struct str command_of(struct arena *a, struct str text, struct str *in)
{
	struct buf b cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE), rest cleanup(buf_free) = BUF_INIT(IMPORT_MAX_FILE);
	struct buf *to = &b;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == '%')
			buf_addc(to, text.p[++i]);
		else if (text.p[i] == '%' && to == &b)
			to = &rest;
		else
			buf_addc(to, text.p[i] == '%' ? '\n' : text.p[i]);
	}
	*in = to == &rest ? arena_str(a, buf_str(&rest)) : STR_NULL;
	return arena_str(a, str_trim(buf_str(&b)));
}

static void bad(struct tab *t, const char *why)
{
	if (!t->n_bad++) {
		t->first_bad = t->line;
		t->bad = why;
	}
	import_note(t->im, IMPORT_UNKNOWN, t->file, t->line, NULL, "%s", why);
}

static void keys_of(struct tab *t, struct import_job *j, struct str line, struct str when, struct str command)
{
	struct arena *a = t->im->a;
	struct dom *list, *env;
	struct str in, text = command_of(a, command, &in);

	import_set_text(t->im, j, "kind", STR("script"));
	import_set_text(t->im, j, "description", arena_str(a, str_sub(line, 0, 200)));
	import_set_text(t->im, j, "partition", STR("none"));
	import_set(t->im, j, "schedule", import_schedule(a, when, t->zone, STR_NULL, "none"));
	import_set_text(t->im, j, "memo", STR("off"));
	if (t->path.n) {
		env = dom_new(a, DOM_MAP);
		dom_set_str(a, env, "path", t->path);
		import_set(t->im, j, "environment", env);
	}
	if (t->env)
		import_set(t->im, j, "env", dom_copy(a, t->env));
	import_command(t->im, j, t->shell.n ? arena_cstr(a, t->shell) : "sh", import_plain(a, text));
	if (!in.p)
		return;
	list = dom_new(a, DOM_LIST);
	while (str_next_line(&in, &text))
		dom_add(list, dom_new_str(a, import_plain(a, text)));
	import_set(t->im, j, "stdin", list);
}

static int job_line(struct tab *t, struct str line, struct err *e)
{
	static const char *const words[][2] = {{"@midnight", "@daily"}, {"@annually", "@yearly"}};
	struct arena *a = t->im->a;
	struct str rest = line, when, user = STR_NULL;
	struct import_job *j;
	struct err why = ERR_INIT;
	struct cron c;

	when = take_word(&rest);
	if (*line.p != '@')
		for (int i = 0; i < 4; i++) {
			struct str field = take_word(&rest);

			when = arena_strf(a, "%.*s %.*s", STR_ARG(when), STR_ARG(field));
		}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_is(when, words[i][0]))
			when = str_of(words[i][1]);
	if (str_is(when, "@reboot")) {
		import_note(t->im, IMPORT_UNKNOWN, t->file, t->line, NULL,
		            "@reboot: nothing here starts with the machine");
		return 0;
	}
	if (cron_parse(when, &c, &why)) {
		bad(t, arena_printf(a, "%s%s%s", why.msg, why.hint[0] ? ": " : "", why.hint));
		return 0;
	}
	if (t->with_user)
		user = take_word(&rest);
	if (!rest.n) {
		bad(t, "a time without a command");
		return 0;
	}
	if (import_new(t->im, name_of(a, rest), t->file, t->line, &j, e))
		return -1;
	keys_of(t, j, line, when, rest);
	if (user.n && !t->said_user)
		import_note(t->im, IMPORT_OTHER, t->file, t->line, j,
		            "it ran as %.*s: here jobs run as the user who starts leat",
		            STR_ARG(user));
	t->said_user |= user.n > 0;
	return 0;
}

/* Whether a sixth field names the user: by where the file lies, or by root in it. */
static bool has_users(struct str text, const char *file)
{
	struct str line;

	if (strstr(file, "/etc/cron"))
		return true;
	while (str_next_line(&text, &line)) {
		struct str rest = str_trim(line);

		if (!rest.n || *rest.p == '#')
			continue;
		for (int i = 0; i < (*rest.p == '@' ? 1 : 5); i++)
			take_word(&rest);
		if (str_is(take_word(&rest), "root") && rest.n)
			return true;
	}
	return false;
}

int import_cron(struct import *im, struct str text, const char *file, struct err *e)
{
	struct tab t = {.im = im, .file = file, .with_user = has_users(text, file)};
	size_t before = im->all.n;
	struct str line, name, value;

	while (str_next_line(&text, &line)) {
		t.line++;
		line = str_trim(line);
		if (!line.n || *line.p == '#')
			continue;
		if (is_setting(line, &name, &value))
			setting(&t, name, value);
		else if (job_line(&t, line, e))
			return -1;
	}
	if (im->all.n == before) {
		err_set(e, ERR_BAD_CONFIG, t.n_bad ? "this is no line of a crontab: %s" : "there is no job in it%s",
		        t.n_bad ? t.bad : "");
		err_hint(e,
		         "its lines are as `0 6 * * * command`; `crontab -l | leat import cron -` takes yours");
		return err_at(e, file, t.n_bad ? t.first_bad : 0, t.n_bad ? 1 : 0);
	}
	if (!t.zone.n)
		import_note(im, IMPORT_OTHER, file, 0, NULL,
		            "cron goes by the machine's clock, leat by timezone: of leat.yaml (UTC unless said)");
	import_note(im, IMPORT_OTHER, file, 0, NULL,
	            "a job starts in a folder of its own, not in HOME, and publishes what it writes to $LEAT_OUTPUT");
	return 0;
}
