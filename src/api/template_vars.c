/* What a template asks for: given by --set and by words, else asked on a terminal, else its defaults. */
#include <ctype.h>

#include "api/template.h"
#include "base/name.h"
#include "base/str.h"
#include "db/sql.h"
#include "flow/table.h"

#define TRIES 3 /* of one question */

static int asks_for(struct arena *a, const struct template *t, struct err *e)
{
	struct str list = STR("");

	for (size_t i = 0; i < t->n_values; i++)
		list = arena_strf(a, "%.*s%s%.*s", STR_ARG(list), i ? ", " : "", STR_ARG(t->values[i].name));
	return list.n ? err_hint(e, "it asks for %.*s", STR_ARG(list)) : err_hint(e, "it asks for nothing");
}

static bool called(const struct template_value *v, struct str name)
{
	return str_eq(v->name, name) || (v->also.n && str_eq(v->also, name));
}

static int check_sets(struct arena *a, const struct template *t, const struct args *args, struct err *e)
{
	for (size_t i = 0; i < args_count(args, "set"); i++) {
		struct str text = args_nth(args, "set", i), key, given;
		bool known = false;

		if (!str_cut(text, '=', &key, &given))
			return err_set(e, ERR_BAD_REQUEST, "--set '%s' is not KEY=VALUE", STR_SHOWN(text));
		for (size_t k = 0; k < t->n_values; k++)
			known |= called(&t->values[k], key);
		if (!known) {
			err_set(e, ERR_BAD_REQUEST, "this template asks for no '%s'", STR_SHOWN(key));
			return asks_for(a, t, e);
		}
	}
	return 0;
}

/* By --set, else the n-th word behind the name is the n-th value that may stand there. */
static struct str given_value(const struct template *t, size_t at, const struct args *args)
{
	struct str found = STR_NULL;
	size_t word = 2;

	for (size_t i = 0; i < args_count(args, "set"); i++) {
		struct str key, value;

		if (str_cut(args_nth(args, "set", i), '=', &key, &value) && called(&t->values[at], key))
			found = value;
	}
	for (size_t i = 0; i < at; i++)
		word += t->values[i].word;
	return found.p || !t->values[at].word ? found : args_pos(args, word);
}

static int check_words(struct arena *a, const struct template *t, const struct args *args, struct err *e)
{
	size_t most = 2;

	for (size_t i = 0; i < t->n_values; i++)
		most += t->values[i].word;
	if (args_n(args) <= most)
		return 0;
	err_set(e, ERR_BAD_REQUEST, "'%s' is one too many: leat new %.*s NAME", STR_SHOWN(args_pos(args, most)),
	        STR_ARG(t->name));
	return asks_for(a, t, e);
}

/* raw/a/b as raw."a/b"; what is no repo stands as it is. */
static struct str sql_name(struct arena *a, struct str text)
{
	struct err ignored = ERR_INIT;
	struct buf b cleanup(buf_free) = BUF_INIT(2 * NAME_MAX_PATH);
	struct str schema, table;

	if (!memchr(text.p, '/', text.n) || name_check_repo(text, &ignored))
		return text;
	table_sql_name(text, &schema, &table);
	if (schema.n && !str_is(schema, "main")) {
		sql_add_ident(&b, schema);
		buf_addc(&b, '.');
	}
	sql_add_ident(&b, table);
	return arena_str(a, buf_str(&b));
}

static int yes_or_no(struct str s, bool *out)
{
	static const char *const yes[] = {"yes", "y", "true", "1", "on"};
	static const char *const no[] = {"no", "n", "false", "0", "off"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (str_ieq(s, str_of(yes[i])) || str_ieq(s, str_of(no[i]))) {
			*out = str_ieq(s, str_of(yes[i]));
			return 0;
		}
	return -1;
}

/* One value as the files see it. */
static int as_value(struct arena *a, const struct template_value *v, struct str text, struct dom **out, struct err *e)
{
	bool yes = false;

	text = str_trim(text);
	switch (v->kind) {
	case TEMPLATE_CONFIRM:
		if (yes_or_no(text, &yes))
			return err_set(e, ERR_BAD_REQUEST, "%.*s is yes or no, not '%s'", STR_ARG(v->name),
			               STR_SHOWN(text));
		*out = dom_new_bool(a, yes);
		return 0;
	case TEMPLATE_REPO:
		if (name_check_repo(text, e))
			return err_wrap(e, "%.*s", STR_ARG(v->name));
		break;
	case TEMPLATE_TABLE:
		if (!text.n)
			return err_set(e, ERR_BAD_REQUEST, "%.*s is the name of a table or a repo", STR_ARG(v->name));
		text = sql_name(a, text);
		break;
	case TEMPLATE_WORD:
		for (size_t i = 0; i < text.n; i++)
			if (!isalnum((unsigned char)text.p[i]) && !strchr("_.-", text.p[i]))
				return err_set(e, ERR_BAD_REQUEST, "%.*s may hold letters, digits and _ . -, not '%s'",
				               STR_ARG(v->name), STR_SHOWN(text));
		break;
	default:
		for (size_t i = 0; i < text.n; i++)
			if ((unsigned char)text.p[i] < ' ' && !strchr("\n\t", text.p[i]))
				return err_set(e, ERR_BAD_REQUEST, "%.*s holds a control character", STR_ARG(v->name));
	}
	*out = dom_new_str(a, text);
	return 0;
}

/* Asked until the answer can be. */
static int ask(struct arena *a, const struct template_value *v, struct str fallback, struct sink *out,
               struct dom **value, struct err *e)
{
	const char *question = arena_printf(a, "%.*s%s", STR_ARG(v->text.n ? v->text : v->name),
	                                    v->kind == TEMPLATE_CONFIRM ? " (yes or no)" : "");
	struct str answer;

	for (int i = 1;; i++) {
		if (out->ask(out->ptr, a, question, fallback, &answer, e))
			return -1;
		if (answer.n ? !as_value(a, v, answer, value, e)
		             : fallback.p && !as_value(a, v, fallback, value, e))
			return 0;
		if (i == TRIES)
			return e->code ? -1
			               : err_set(e, ERR_BAD_REQUEST, "'%.*s' was not answered", STR_ARG(v->name));
		sink_note(out, "%s", e->code ? e->msg : "there is no default: an answer is needed");
		err_clear(e);
	}
}

int template_vars(struct arena *a, const struct template *t, const struct args *args, struct sink *out, struct str job,
                  struct str given, struct dom **vars, struct err *e)
{
	struct dom *map = dom_new(a, DOM_MAP);

	if (check_words(a, t, args, e) || check_sets(a, t, args, e))
		return -1;
	dom_set_str(a, map, "name", job);
	dom_set_str(a, map, "job_name", job);
	dom_set_str(a, map, "dataset", given);
	dom_set_str(a, map, "dataset_name", given);
	if (t->dsflow) /* bound when the job runs, not when it is made */
		dom_set_cstr(a, map, "ds", "{{ ds }}");
	for (size_t i = 0; i < t->n_values; i++) {
		const struct template_value *v = &t->values[i];
		struct str text = given_value(t, i, args), fallback = v->fallback;
		struct dom *value;

		if (dom_get(map, arena_cstr(a, v->name)))
			return err_set(e, ERR_BAD_CONFIG, "a template asks for no '%.*s': it has one",
			               STR_ARG(v->name)),
			       err_at(e, t->file, 0, 0);
		if (fallback.p)
			fallback = template_named(a, fallback, job, given);
		if (!text.p && out->ask) {
			if (ask(a, v, fallback, out, &value, e))
				return -1;
		} else if (!text.p && !fallback.p) {
			err_set(e, ERR_BAD_REQUEST, "this template needs a value for '%.*s'", STR_ARG(v->name));
			return err_hint(e, "--set %.*s=...%s%.*s%s", STR_ARG(v->name), v->text.n ? " (" : "",
			                STR_ARG(v->text), v->text.n ? ")" : "");
		} else if (as_value(a, v, text.p ? text : fallback, &value, e)) {
			return -1;
		}
		dom_set(a, map, arena_cstr(a, v->name), value);
	}
	*vars = map;
	return 0;
}
