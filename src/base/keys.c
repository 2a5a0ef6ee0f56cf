#include "base/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cron.h"
#include "base/ds.h"
#include "base/name.h"
#include "base/str.h"

#define KEYS_MAX_NESTED 32
#define KEYS_MAX_NAMES 256 /* rows of one section that are looked at for a suggestion */

/* ---- rules of scalars ---- */

static bool unit_ms(struct str u, int64_t *ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},         {"min", 60000},
	             {"h", 3600000}, {"d", 86400000}, {"w", 7 * 86400000LL}};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_is(u, units[i].unit)) {
			*ms = units[i].ms;
			return true;
		}
	return false;
}

bool keys_size(struct str text, int64_t *out)
{
	static const char letters[] = "kmgtp";
	struct str s = str_trim(text);
	double n, factor = 1, step = 1000;
	const char *unit;

	if (s.n && (s.p[s.n - 1] | 32) == 'b')
		s.n--;
	if (s.n > 1 && s.p[s.n - 1] == 'i') {
		step = 1024;
		s.n--;
	}
	unit = s.n ? strchr(letters, s.p[s.n - 1] | 32) : NULL;
	if (unit && *unit) {
		for (const char *p = letters; p <= unit; p++)
			factor *= step;
		s.n--;
	} else if (step > 1000) {
		return false;
	}
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789.", s.p[i]))
			return false;
	if (!str_to_f64(s, &n) || n * factor < 1 || n * factor > 9e18)
		return false;
	*out = (int64_t)(n * factor);
	return true;
}

bool keys_duration(struct str s, int64_t *out)
{
	int64_t sum = 0;

	s = str_trim(s);
	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n;) {
		size_t from = i, unit;
		double n;
		int64_t ms = 1000;

		while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
			i++;
		if (!str_to_f64(str_sub(s, from, i - from), &n))
			return false;
		unit = i;
		while (i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z')
			i++;
		if (i == unit ? from != 0 : !unit_ms(str_sub(s, unit, i - unit), &ms))
			return false; /* a bare number is seconds only where it is all there is */
		if (i == unit && i != s.n)
			return false;
		if (n * (double)ms > 9e15 - (double)sum)
			return false;
		sum += (int64_t)(n * (double)ms + 0.5);
	}
	*out = sum;
	return true;
}

bool keys_is_ident(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
			return false;
	}
	return s.n > 0;
}

static int rule_cron(struct str s, struct err *e)
{
	struct err why = ERR_INIT;
	struct cron c;

	if (cron_parse(s, &c, &why))
		return err_hint(e, "%s", why.hint);
	return c.kind != CRON_NEVER ? 0 : err_hint(e, "five cron fields, or @hourly, @daily and their like");
}

static int rule_path(struct str s, struct err *e)
{
	if (!s.n || s.p[0] == '/' || memchr(s.p, '\0', s.n) || memchr(s.p, '\\', s.n))
		return err_hint(e, "a path relative to the file that names it, parted by '/'");
	return 0;
}

static int rule_pinned(struct str s, struct err *e)
{
	struct str repo = s, pin;
	struct err why = ERR_INIT;

	if (str_cut(s, '@', &repo, &pin) && !pin.n)
		return err_hint(e, "a branch, commit or tag stands after the @");
	if (memchr(repo.p, ':', repo.n))
		return err_hint(e, "a repo, not a path in it");
	return name_check_repo(repo, &why) ? err_hint(e, "%s", why.msg) : 0;
}

static int rule_zone(struct arena *a, struct str s, struct err *e)
{
	const struct tz *z;
	struct err why = ERR_INIT;

	if (tz_load(arena_cstr(a, s), &z, &why))
		return err_hint(e, "%s", why.hint[0] ? why.hint : why.msg);
	return 0;
}

static int rule_words(const struct key *k, struct str s, struct err *e)
{
	struct str words[KEYS_MAX_NAMES], rest = str_of(k->words), word;
	size_t n = 0;

	while (n < ARRAY_LEN(words) - 1 && str_cut(rest, ' ', &word, &rest))
		words[n++] = word;
	words[n++] = rest;
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, words[i]))
			return 0;
	return keys_hint_nearest(e, s, words, n);
}

/* What the rules say of a scalar's text: 0, or -1 with the hint filled (the sentence is the caller's). */
static int rule_holds(struct arena *a, const struct key *k, const struct dom *v, struct err *e)
{
	struct str s = dom_text(a, v);
	struct err why = ERR_INIT;
	struct ds ds;
	int64_t ms;
	double real = v->type == DOM_INT ? (double)v->i : v->type == DOM_REAL ? v->d : 0;

	switch (k->rule) {
	case KEYS_WORDS:
		return rule_words(k, s, e);
	case KEYS_SIZE:
		if (v->type == DOM_INT || keys_size(s, &ms))
			return 0;
		return err_hint(e, "a size is written 100M, 1.5G or 512Mi");
	case KEYS_DURATION:
		return keys_duration(s, &ms) ? 0 : err_hint(e, "a duration is written 500ms, 60s, 5m, 1h30m or 30d");
	case KEYS_ZONE:
		return rule_zone(a, s, e);
	case KEYS_COUNT:
		return v->type == DOM_INT && v->i >= 0 ? 0 : err_hint(e, "a whole number from 0 on");
	case KEYS_POSITIVE:
		return v->type == DOM_INT && v->i >= 1 ? 0 : err_hint(e, "a whole number from 1 on");
	case KEYS_FACTOR:
		return real >= 0 ? 0 : err_hint(e, "a number from 0 on");
	case KEYS_REPO:
		return name_check_repo(s, &why) ? err_hint(e, "%s", why.msg) : 0;
	case KEYS_PINNED:
		return rule_pinned(s, e);
	case KEYS_NAME:
		return name_check_job(s, &why) ? err_hint(e, "%s", why.msg) : 0;
	case KEYS_IDENT:
		return keys_is_ident(s) ? 0 : err_hint(e, "letters, digits and _, no digit first");
	case KEYS_DS:
		return ds_parse(s, &ds, &why) ? err_hint(e, "%s", why.hint[0] ? why.hint : why.msg) : 0;
	case KEYS_CRON:
		return rule_cron(s, e);
	case KEYS_PATH:
		return rule_path(s, e);
	case KEYS_NOT_EMPTY:
		return str_trim(s).n ? 0 : err_hint(e, "something must stand here");
	default:
		return 0;
	}
}

/* ---- checking ---- */

int keys_hint_nearest(struct err *e, struct str word, const struct str *names, size_t n)
{
	char list[400];
	size_t len = 0;
	int i = n ? str_nearest(word, names, n) : -1;

	if (i >= 0)
		return err_hint(e, "did you mean \"%.*s\"?", STR_ARG(names[i]));
	list[0] = '\0';
	for (size_t k = 0; k < n && len < sizeof(list); k++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%.*s", k ? ", " : "", STR_ARG(names[k]));
	if (n)
		err_hint(e, "there %s: %s%s", n == 1 ? "is" : "are", list, len >= sizeof(list) ? "..." : "");
	return -1;
}

struct check {
	const struct keys *const *tables;
	size_t n;
	const char *file;
	struct arena *arena;
	struct err *e;
};

static bool row_is(const struct key *k, const char *section, struct str name)
{
	return str_is(name, k->name) && (k->section == section || !strcmp(k->section, section));
}

const struct key *keys_find(const struct keys *const *tables, size_t n, const char *section, struct str name)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			if (row_is(&tables[t]->rows[i], section, name))
				return &tables[t]->rows[i];
	return NULL;
}

/* "a map", "text or a list": what the forms allow, in words. */
static void forms_words(unsigned forms, char *out, size_t cap)
{
	static const struct {
		unsigned form;
		const char *word;
	} words[] = {{KEYS_STR, "text"},     {KEYS_INT, "a whole number"}, {KEYS_REAL, "a number"},
	             {KEYS_BOOL, "true or false"}, {KEYS_LIST, "a list"},  {KEYS_MAP, "a map"}};
	size_t len = 0;

	out[0] = '\0';
	if (forms & KEYS_REAL)
		forms &= ~(unsigned)KEYS_INT;
	for (size_t i = 0; i < ARRAY_LEN(words) && len < cap; i++)
		if (forms & words[i].form)
			len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? " or " : "", words[i].word);
}

static int unknown_key(struct check *c, const char *section, const struct dom *v)
{
	struct str names[KEYS_MAX_NAMES];
	size_t n = 0;

	for (size_t t = 0; t < c->n; t++)
		for (size_t i = 0; i < c->tables[t]->n && n < ARRAY_LEN(names); i++)
			if (!strcmp(c->tables[t]->rows[i].section, section) && c->tables[t]->rows[i].name[0] != '[')
				names[n++] = str_of(c->tables[t]->rows[i].name);
	err_set(c->e, ERR_BAD_CONFIG, "unknown key \"%.*s\"", STR_ARG(v->key));
	keys_hint_nearest(c->e, v->key, names, n);
	return err_at(c->e, c->file, v->key_line, v->key_col);
}

static int check_value(struct check *c, const struct key *k, const struct dom *v);

static int missing_key(struct check *c, const char *section, const struct dom *map)
{
	for (size_t t = 0; t < c->n; t++)
		for (size_t i = 0; i < c->tables[t]->n; i++) {
			const struct key *k = &c->tables[t]->rows[i];

			if (!(k->flags & KEYS_REQUIRED) || strcmp(k->section, section) || dom_get(map, k->name))
				continue;
			err_set(c->e, ERR_BAD_CONFIG, "the key \"%s\" is missing", k->name);
			err_hint(c->e, "%s: %s", k->name, k->text);
			return err_at(c->e, c->file, map->line, map->col);
		}
	return 0;
}

static int check_map(struct check *c, const char *section, const struct dom *map)
{
	dom_each(v, map) {
		const struct key *k = keys_find(c->tables, c->n, section, v->key);

		if (!k)
			k = keys_find(c->tables, c->n, section, STR("*"));
		if (!k)
			return unknown_key(c, section, v);
		if (check_value(c, k, v))
			return -1;
	}
	return missing_key(c, section, map);
}

static int check_value(struct check *c, const struct key *k, const struct dom *v)
{
	char want[128];
	struct str name = v->key.p ? v->key : str_of(k->section);
	bool scalar = v->type != DOM_MAP && v->type != DOM_LIST;

	if (v->type == DOM_NULL && !(k->flags & KEYS_REQUIRED))
		return 0; /* as if it did not stand there */
	if (!(k->forms & (1u << v->type))) {
		struct str got = dom_text(c->arena, v);

		forms_words(k->forms, want, sizeof(want));
		if (scalar && got.n && got.n < 100)
			err_set(c->e, ERR_BAD_CONFIG, "\"%.*s\" must be %s, not %.*s", STR_ARG(name), want,
				STR_ARG(got));
		else
			err_set(c->e, ERR_BAD_CONFIG, "\"%.*s\" must be %s, not %s", STR_ARG(name), want,
				dom_type_word(v->type));
		err_hint(c->e, "%s", k->text);
		return err_at(c->e, c->file, v->line, v->col);
	}
	if (scalar) {
		if (!rule_holds(c->arena, k, v, c->e))
			return 0;
		char hint[sizeof(c->e->hint)];

		memcpy(hint, c->e->hint, sizeof(hint));
		err_set(c->e, ERR_BAD_CONFIG, "\"%.*s\" cannot be \"%.*s\"", STR_ARG(name),
		        STR_ARG(str_sub(dom_text(c->arena, v), 0, 200)));
		err_hint(c->e, "%s", hint);
		return err_at(c->e, c->file, v->line, v->col);
	}
	if (!k->sub)
		return 0;
	if (v->type == DOM_MAP)
		return check_map(c, k->sub, v);
	k = keys_find(c->tables, c->n, k->sub, STR("[]"));
	dom_each(item, v)
		if (k && check_value(c, k, item))
			return -1;
	return 0;
}

int keys_check(const struct keys *const *tables, size_t n, const struct dom *doc, const char *file, struct err *e)
{
	struct arena *scratch cleanup(arena_cleanup) = arena_new();
	struct err found = ERR_INIT; /* rules fill hints on the way, *e must stay as it was if all is well */
	struct check c = {tables, n, file, scratch, &found};
	struct dom empty = {.type = DOM_MAP};
	int r;

	if (doc->type == DOM_NULL)
		doc = &empty;
	if (doc->type != DOM_MAP) {
		err_set(&found, ERR_BAD_CONFIG, "%s must be a map of keys, not %s", tables[0]->what,
			dom_type_word(doc->type));
		r = err_at(&found, file, doc->line, doc->col);
	} else {
		r = check_map(&c, "", doc);
	}
	if (r)
		*e = found;
	return r;
}

/* ---- defaults ---- */

static const struct dom *default_of(const struct key *k)
{
	/* Parsed once per process; a few dozen rows in all. */
	static struct arena *arena;
	static struct {
		const struct key *key;
		struct dom *value;
	} known[512];
	size_t i = ((uintptr_t)k / sizeof(*k)) % ARRAY_LEN(known), tries = 0;
	struct err e = ERR_INIT;

	if (!arena)
		arena = arena_new();
	for (; known[i].key && known[i].key != k; i = (i + 1) % ARRAY_LEN(known))
		BUG_IF(++tries > ARRAY_LEN(known) / 2);
	if (!known[i].key) {
		if (dom_yaml(arena, str_of(k->def), "default", &known[i].value, &e))
			BUG("default of %s: %s", k->name, e.msg);
		known[i].key = k;
	}
	return known[i].value;
}

const struct dom *keys_get(const struct keys *t, const char *section, const struct dom *map, const char *name)
{
	const struct dom *v = dom_get(map, name);
	const struct key *k;

	if (v && v->type != DOM_NULL)
		return v;
	k = keys_find(&t, 1, section, str_of(name));
	return k && k->def ? default_of(k) : NULL;
}

/* ---- JSON Schema ---- */

struct schema {
	struct arena *a;
	const struct keys *const *tables;
	size_t n;
	const char *open[KEYS_MAX_NESTED]; /* sections being described */
	size_t depth;
	const char *again[KEYS_MAX_NESTED]; /* of them, those that hold themselves: $defs */
	size_t n_again;
};

static struct dom *section_schema(struct schema *s, const char *section);
static struct dom *key_schema(struct schema *s, const struct key *k);

/* Patterns say less than the rules: an editor helps, the check decides. */
static const char *rule_pattern(enum keys_rule rule)
{
	switch (rule) {
	case KEYS_SIZE:
		return "^[0-9.]+ *[kKmMgGtTpP]?i?[bB]?$";
	case KEYS_DURATION:
		return "^([0-9.]+(ms|s|m|min|h|d|w))+$|^[0-9.]+$";
	case KEYS_REPO:
		return "^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*$";
	case KEYS_PINNED:
		return "^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*(@[^:]+)?$";
	case KEYS_NAME:
		return "^[A-Za-z0-9][A-Za-z0-9_.-]*$";
	case KEYS_IDENT:
		return "^[A-Za-z_][A-Za-z0-9_]*$";
	case KEYS_PATH:
		return "^[^/\\\\]";
	case KEYS_NOT_EMPTY:
		return "[^ ]";
	default:
		return NULL;
	}
}

static void scalar_schema(struct schema *s, const struct key *k, unsigned form, struct dom *to)
{
	const char *pattern = rule_pattern(k->rule);

	if (form & KEYS_STR && k->rule == KEYS_WORDS) {
		struct dom *list = dom_new(s->a, DOM_LIST);
		struct str rest = str_of(k->words), word;

		while (str_cut(rest, ' ', &word, &rest))
			dom_add(list, dom_new_str(s->a, word));
		dom_add(list, dom_new_str(s->a, rest));
		dom_set(s->a, to, "enum", list);
	} else if (form & KEYS_STR && pattern) {
		dom_set_cstr(s->a, to, "pattern", pattern);
	}
	if (form & KEYS_NUMBER && k->rule == KEYS_POSITIVE)
		dom_set_int(s->a, to, "minimum", 1);
	if (form & KEYS_NUMBER && (k->rule == KEYS_COUNT || k->rule == KEYS_FACTOR || k->rule == KEYS_DURATION))
		dom_set_int(s->a, to, "minimum", 0);
}

static struct dom *form_schema(struct schema *s, const struct key *k, unsigned form)
{
	static const struct {
		unsigned form;
		const char *type;
	} types[] = {{KEYS_BOOL, "boolean"}, {KEYS_INT, "integer"}, {KEYS_REAL, "number"},
	             {KEYS_STR, "string"},   {KEYS_LIST, "array"},  {KEYS_MAP, "object"}};
	struct dom *to = form == KEYS_MAP && k->sub ? section_schema(s, k->sub) : dom_new(s->a, DOM_MAP);
	const struct key *item;

	if (!dom_get(to, "type") && !dom_get(to, "$ref"))
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			if (form == types[i].form)
				dom_set_cstr(s->a, to, "type", types[i].type);
	if (form == KEYS_LIST && k->sub && (item = keys_find(s->tables, s->n, k->sub, STR("[]"))))
		dom_set(s->a, to, "items", key_schema(s, item));
	scalar_schema(s, k, form, to);
	return to;
}

static struct dom *key_schema(struct schema *s, const struct key *k)
{
	unsigned forms = k->forms & ~(unsigned)KEYS_NULL;
	struct dom *to, *any = dom_new(s->a, DOM_LIST);
	struct err e = ERR_INIT;

	if (forms & KEYS_REAL)
		forms &= ~(unsigned)KEYS_INT; /* "number" holds whole ones too */
	if ((forms | KEYS_NULL | KEYS_INT) == KEYS_ANY && !k->sub) {
		to = dom_new(s->a, DOM_MAP);
	} else {
		for (unsigned form = KEYS_BOOL; form <= KEYS_MAP; form <<= 1)
			if (forms & form)
				dom_add(any, form_schema(s, k, form));
		if (any->n == 1) {
			to = any->first;
		} else {
			to = dom_new(s->a, DOM_MAP);
			dom_set(s->a, to, "anyOf", any);
		}
	}
	dom_set_cstr(s->a, to, "description", k->text);
	if (k->def) {
		struct dom *def;

		if (dom_yaml(s->a, str_of(k->def), "default", &def, &e))
			BUG("default of %s: %s", k->name, e.msg);
		dom_set(s->a, to, "default", def);
	}
	return to;
}

/* A section that lies in itself is named the second time. */
static bool section_again(struct schema *s, const char *section, struct dom *to)
{
	size_t i = 0, k = 0;

	while (i < s->depth && strcmp(s->open[i], section))
		i++;
	if (i == s->depth)
		return false;
	while (k < s->n_again && strcmp(s->again[k], section))
		k++;
	BUG_IF(k == KEYS_MAX_NESTED);
	if (k == s->n_again)
		s->again[s->n_again++] = section;
	dom_set_cstr(s->a, to, "$ref", arena_printf(s->a, "#/$defs/%s", section));
	return true;
}

static struct dom *section_schema(struct schema *s, const char *section)
{
	struct dom *to = dom_new(s->a, DOM_MAP), *props = dom_new(s->a, DOM_MAP), *need = dom_new(s->a, DOM_LIST);
	const struct key *any = keys_find(s->tables, s->n, section, STR("*"));

	if (section_again(s, section, to))
		return to;
	BUG_IF(s->depth == KEYS_MAX_NESTED);
	s->open[s->depth++] = section;
	dom_set_cstr(s->a, to, "type", "object");
	for (size_t t = 0; t < s->n; t++)
		for (size_t i = 0; i < s->tables[t]->n; i++) {
			const struct key *k = &s->tables[t]->rows[i];

			if (strcmp(k->section, section) || strchr("*[", k->name[0]) || dom_get(props, k->name))
				continue;
			dom_set(s->a, props, k->name, key_schema(s, k));
			/* At the top, a table after the first is that of one kind, and required with it alone. */
			if ((k->flags & KEYS_REQUIRED) && (section[0] || !t))
				dom_add(need, dom_new_str(s->a, str_of(k->name)));
		}
	if (props->n)
		dom_set(s->a, to, "properties", props);
	if (need->n)
		dom_set(s->a, to, "required", need);
	dom_set(s->a, to, "additionalProperties", any ? key_schema(s, any) : dom_new_bool(s->a, false));
	s->depth--;
	return to;
}

struct dom *keys_json_schema(struct arena *a, const struct keys *const *tables, size_t n, const char *title)
{
	struct schema s = {a, tables, n};
	struct dom *to = dom_new(a, DOM_MAP), *body;

	dom_set_cstr(a, to, "$schema", "https://json-schema.org/draft/2020-12/schema");
	dom_set_cstr(a, to, "title", title);
	body = section_schema(&s, "");
	for (struct dom *v = body->first, *next; v; v = next) {
		next = v->next;
		dom_set(a, to, arena_cstr(a, v->key), v);
	}
	if (s.n_again) {
		struct dom *defs = dom_new(a, DOM_MAP);

		for (size_t i = 0; i < s.n_again; i++)
			dom_set(a, defs, s.again[i], section_schema(&s, s.again[i]));
		dom_set(a, to, "$defs", defs);
	}
	return to;
}
