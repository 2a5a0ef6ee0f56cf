/*
 * Work that is asked for over HTTP and written down (flow/request.h): webhooks, whose sender signs what it sends, and
 * runs with an idempotency key. The daemon sees the row and starts it.
 */
#include "base/ds.h"
#include "base/hash.h"
#include "base/str.h"
#include "flow/request.h"
#include "flow/secret.h"
#include "web/hook.h"
#include "web/web_in.h"

#define KEY_MAX 200

/* Where senders put the signature: GitHub and those like it with "sha256=" before it, Gitea and others without. */
static const char *const signatures[] = {"X-Hub-Signature-256", "X-Gitea-Signature", "X-Signature-256", "X-Signature"};
static const char *const deliveries[] = {"X-GitHub-Delivery", "X-Gitea-Delivery", "X-Delivery-Id", "Webhook-Id",
                                         "Idempotency-Key"};

bool hook_signed(struct str secret, struct str header, struct str body)
{
	struct sha is = sha_hmac(secret, &body, 1), told;
	struct str hex = str_trim(header);

	if (str_has_prefix(hex, STR("sha256=")))
		hex = str_sub(hex, strlen("sha256="), hex.n);
	return secret.n && sha_parse(hex, &told) &&
	       guard_same((struct str){(const char *)is.b, SHA_BYTES}, (struct str){(const char *)told.b, SHA_BYTES});
}

static struct str first_header(struct call *c, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str s = http_header(c->r, names[i]);

		if (s.p)
			return s;
	}
	return STR_NULL;
}

static struct str text_of(struct arena *a, const struct dom *map, const char *key)
{
	const struct dom *d = dom_get(map, key);

	return d ? dom_text(a, d) : STR_NULL;
}

/* It is said to be signed by whoever knows the secret: until that is known nothing it holds is looked at. */
static int check_signature(struct call *c, const struct dom *hook, struct err *e)
{
	struct str secret = text_of(c->a, hook, "secret"), name, key, value, header;

	if (!secret.n || !str_cut(secret, '/', &name, &key))
		return err_set(e, ERR_BAD_CONFIG, "leat.yaml: hooks.%.*s has no secret: NAME/KEY", STR_ARG(c->rest));
	if (secret_value(c->a, c->web->conf.store->ws, name, key, &value, e))
		return -1;
	header = first_header(c, signatures, ARRAY_LEN(signatures));
	if (!header.p) {
		err_set(e, ERR_UNAUTHORIZED, "the webhook is not signed");
		return err_hint(e, "X-Hub-Signature-256: sha256=HMAC of the body in hex");
	}
	if (!hook_signed(secret_bare(value), header, http_body(c->r)))
		return err_set(e, ERR_UNAUTHORIZED,
		               "the signature does not fit the body and the secret of this webhook");
	return 0;
}

static const struct dom *body_value(struct call *c, struct str at)
{
	if (str_has_prefix(at, STR("body.")))
		at = str_sub(at, strlen("body."), at.n);
	return c->json ? dom_path(c->json, arena_cstr(c->a, at)) : NULL;
}

static int hook_params(struct call *c, const struct dom *hook, struct str *out, struct err *e)
{
	const struct dom *wanted = dom_get(hook, "params");
	struct dom *params = dom_new(c->a, DOM_MAP);
	struct buf b = BUF_INIT(WEB_HOOK_BODY);

	if (!wanted)
		return 0;
	dom_each(p, wanted) {
		const struct dom *v = body_value(c, dom_text(c->a, p));

		if (!v || v->type == DOM_LIST || v->type == DOM_MAP)
			return err_set(e, ERR_BAD_REQUEST,
			               "the body has no %s, of which the webhook makes the parameter %.*s",
			               STR_SHOWN(dom_text(c->a, p)), STR_ARG(p->key));
		dom_set_str(c->a, params, arena_cstr(c->a, p->key), dom_text(c->a, v));
	}
	dom_write_json(&b, params, DOM_COMPACT);
	*out = arena_str(c->a, buf_str(&b));
	buf_free(&b);
	return 0;
}

static int hook_ds(struct call *c, const struct dom *hook, const char **out, struct err *e)
{
	struct str s = text_of(c->a, hook, "ds");
	struct ds ds;

	if (!s.p)
		return 0;
	if (str_has_prefix(s, STR("body."))) {
		const struct dom *v = body_value(c, s);

		if (!v)
			return err_set(e, ERR_BAD_REQUEST, "the body has no %s, which is to be the ds", STR_SHOWN(s));
		s = dom_text(c->a, v);
	}
	if (ds_parse(s, &ds, e))
		return -1;
	*out = arena_cstr(c->a, s);
	return 0;
}

/* In one transaction: all of them, or none. */
static int add(struct call *c, struct request_new *r, size_t n, int64_t *ids, bool *fresh, struct err *e)
{
	struct db *d = c->web->conf.store->db;

	if (db_begin(d, e))
		return -1;
	*fresh = false;
	for (size_t i = 0; i < n; i++) {
		int got = request_add(d, r + i, ids + i, e);

		if (got < 0) {
			db_rollback(d);
			return -1;
		}
		*fresh = *fresh || got;
	}
	return db_commit(d, e);
}

static void told(struct call *c, const int64_t *ids, size_t n, bool fresh)
{
	struct dom *d = dom_new(c->a, DOM_MAP), *list = dom_new(c->a, DOM_LIST);

	for (size_t i = 0; i < n; i++)
		dom_add(list, dom_new_int(c->a, ids[i]));
	dom_set(c->a, d, "requests", list);
	dom_set_bool(c->a, d, "new", fresh);
	answer_json(c, fresh ? 202 : 200, d);
}

static int job_is_there(struct call *c, struct str job, struct err *e)
{
	struct web *w = c->web;

	return w->conf.has_job && !w->conf.has_job(w->conf.ptr, job, e) ? -1 : 0;
}

static int take_hook(struct call *c, struct err *e)
{
	const struct dom *hooks = workspace_setting(c->web->conf.store->ws, "hooks");
	const struct dom *hook = hooks ? dom_get(hooks, arena_cstr(c->a, c->rest)) : NULL;
	struct str id;
	struct request_new r = {.kind = REQUEST_WEBHOOK, .slot = REQUEST_NONE};
	int64_t number;
	bool fresh;

	if (!hook)
		return err_set(e, ERR_NOT_FOUND, "leat.yaml has no webhook '%s'", STR_SHOWN(c->rest));
	if (check_signature(c, hook, e))
		return -1;
	if (http_body(c->r).n && dom_json(c->a, http_body(c->r), "body", &c->json, e)) {
		e->code = ERR_BAD_REQUEST;
		return -1;
	}
	r.job = text_of(c->a, hook, "job");
	if (!r.job.n)
		return err_set(e, ERR_BAD_CONFIG, "leat.yaml: hooks.%.*s has no job", STR_ARG(c->rest));
	id = first_header(c, deliveries, ARRAY_LEN(deliveries));
	if (id.n > KEY_MAX)
		return err_set(e, ERR_BAD_REQUEST, "the delivery's id is longer than %d bytes", KEY_MAX);
	if (id.n)
		r.idem = arena_strf(c->a, "hook:%.*s:%.*s", STR_ARG(c->rest), STR_ARG(id));
	r.who = arena_strf(c->a, "webhook %.*s", STR_ARG(c->rest));
	if (job_is_there(c, r.job, e) || hook_params(c, hook, &r.params, e) || hook_ds(c, hook, &r.ds, e) ||
	    add(c, &r, 1, &number, &fresh, e))
		return -1;
	told(c, &number, 1, fresh);
	return 0;
}

void route_hook(struct call *c)
{
	struct err e = ERR_INIT;

	if (take_hook(c, &e))
		answer_problem(c, &e);
}

bool hook_wants_request(struct call *c)
{
	return !strcmp(c->op->name, "run") && http_header(c->r, "Idempotency-Key").p;
}

static int params_of(struct call *c, const struct args *args, struct str *out, struct err *e)
{
	struct dom *params = dom_new(c->a, DOM_MAP);
	struct buf b = BUF_INIT(WEB_BODY * 2);

	for (size_t i = 0; i < args_count(args, "param"); i++) {
		struct str p = args_nth(args, "param", i), key, value;

		if (!str_cut(p, '=', &key, &value))
			return err_set(e, ERR_BAD_REQUEST, "param '%s' is not KEY=VALUE", STR_SHOWN(p));
		dom_set_str(c->a, params, arena_cstr(c->a, key), value);
	}
	if (!params->n)
		return 0;
	dom_write_json(&b, params, DOM_COMPACT);
	*out = arena_str(c->a, buf_str(&b));
	buf_free(&b);
	return 0;
}

static int take_run(struct call *c, const struct args *args, struct err *e)
{
	struct str key = http_header(c->r, "Idempotency-Key"), params = STR_NULL;
	size_t n = MAX(args_n(args), 2) - 1;
	struct request_new *r = arena_array(c->a, struct request_new, n);
	int64_t *ids = arena_array(c->a, int64_t, n);
	bool fresh;

	if (!key.n || key.n > KEY_MAX)
		return err_set(e, ERR_BAD_REQUEST, "Idempotency-Key is empty, or longer than %d bytes", KEY_MAX);
	if (!args_n(args))
		return err_set(e, ERR_BAD_REQUEST, "a run with an Idempotency-Key names its job");
	for (size_t i = 0; i < args->values.n; i++)
		if (args->values.p[i].opt && strcmp(args->values.p[i].opt->name, "param"))
			return err_set(e, ERR_BAD_REQUEST,
			               "a run with an Idempotency-Key takes job, ds and param, not %s",
			               args->values.p[i].opt->name);
	if (job_is_there(c, args_pos(args, 0), e) || params_of(c, args, &params, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str label = args_pos(args, i + 1);
		struct ds ds;

		if (label.p && ds_parse(label, &ds, e))
			return -1;
		r[i] = (struct request_new){.kind = REQUEST_API,
		                            .slot = REQUEST_NONE,
		                            .job = args_pos(args, 0),
		                            .ds = label.p ? arena_cstr(c->a, label) : NULL,
		                            .params = params,
		                            .who = STR("api")};
		r[i].idem = arena_strf(c->a, "api:%.*s%s%.*s", STR_ARG(key), label.p ? ":" : "", STR_ARG(label));
	}
	if (add(c, r, n, ids, &fresh, e))
		return -1;
	told(c, ids, n, fresh);
	return 0;
}

void hook_run(struct call *c, const struct args *args)
{
	struct err e = ERR_INIT;

	if (take_run(c, args, &e))
		answer_problem(c, &e);
}
