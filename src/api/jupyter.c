/*
 * jupyter: the user's own Jupyter over chosen commits, as a service of the workspace (job/stay.h): its inputs are
 * pinned and read-only, what it has in out/ becomes a commit when it ends. The job that is made for it lies in jobs/
 * like any other, so that it can be looked at, changed by hand, and asked why.
 *
 * The token is made anew by each start, in the process's environment and in a file of its folder that only the user can
 * read: it is in no command line and no log (Jupyter prints a token only if it made it itself).
 */
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/jupyter.h"
#include "api/rows.h"
#include "api/stay.h"
#include "base/map.h"
#include "base/name.h"
#include "base/str.h"
#include "job/common.h"
#include "job/stay.h"
#include "repo/overlay.h"
#include "sys/file.h"
#include "sys/loop.h"

#define NAME "jupyter"
#define MARK "# `leat jupyter` made this"
#define MARK_REST ", and makes it anew when it is called with --in, --data, --lab, --output or --port.\n"
#define SETTINGS "jupyter_config.py" /* beside job.sh */
#define PORT_FIRST 8888
#define PORT_TRIES 200
#define LOOK_MS 200
#define TEXT_MAX ((size_t)1 << 20)
#define TOKEN_MAX 200
#define PROGRAM_MAX ((size_t)4 << 20)

struct notebooks {
	struct str name;
	const char *dir, *file; /* the job's folder and job.yaml */
	const struct jupyter_file *notebook; /* one that it is opened on; NULL */
	bool lab;
	int64_t port;
};

/*
 * config/jupyter_server_config.py of the workspace (or config/jupyter/), if it is there. What keeps others out is set
 * behind it: whatever it says, this machine and its token.
 */
static const char settings[] =
	"# The workspace's own settings, and behind them what keeps others out. Made by leat.\n"
	"import os\n"
	"\n"
	"for name in (\"jupyter_server_config.py\", \"jupyter/jupyter_server_config.py\"):\n"
	"    path = os.path.join(os.environ[\"LEAT_CONFIG\"], name)\n"
	"    if os.path.isfile(path):\n"
	"        load_subconfig(path)\n"
	"for app in (c.ServerApp, c.NotebookApp):\n"
	"    for key in (\"identity_provider_class\", \"authorizer_class\", \"login_handler_class\",\n"
	"                \"logout_handler_class\", \"allow_unauthenticated_access\", \"disable_check_xsrf\",\n"
	"                \"allow_origin\", \"allow_origin_pat\", \"allow_credentials\", \"trust_xheaders\",\n"
	"                \"sock\", \"custom_display_url\"):\n"
	"        app.pop(key, None)\n"
	"    app.ip = \"127.0.0.1\"\n"
	"    app.allow_remote_access = False\n"
	"    app.password = \"\"\n"
	"    app.password_required = False\n"
	"for part in (c.ServerApp, c.NotebookApp, c.IdentityProvider, c.PasswordIdentityProvider):\n"
	"    part.token = os.environ[\"JUPYTER_TOKEN\"]\n"
	"c.PasswordIdentityProvider.hashed_password = \"\"\n";

/* --- the job --- */

/* The commit that it names now: a kernel must not be ended because somebody puts a file. */
static int write_input(struct api *api, struct str text, struct buf *b, struct err *e)
{
	struct str given = text, name, repo, rev, path, last;
	struct pin p;

	if (str_cut(text, '=', &name, &given) && name_check_job(name, e))
		return -1;
	if (given.p == text.p)
		name = STR_NULL;
	if (pin_parse(given, &repo, &rev, &path, e) || pin_resolve(api->store, api->arena, given, &p, e))
		return -1;
	if (!p.has_commit) {
		err_set(e, ERR_NOT_FOUND, "%.*s has no commit yet", STR_ARG(given));
		return err_hint(e, "leat put %.*s FILE makes one", STR_ARG(repo));
	}
	if (p.path.n) {
		err_set(e, ERR_BAD_REQUEST, "%.*s is not a whole repo", STR_ARG(given));
		return err_hint(e, "--in takes REPO[@PIN]; all of it is then a folder");
	}
	if (!name.n)
		name = str_rcut(p.repo.name, '/', &last, &name) ? name : p.repo.name;
	buf_addf(b, "  %.*s: {repo: %.*s, pin: \"%s\"}%s%.*s\n", STR_ARG(name), STR_ARG(p.repo.name), p.commit.id.hex,
	         rev.n ? " # " : "", STR_ARG(rev));
	return 0;
}

/* All that dsflow's containers show: each repo as it is now, by a name of letters, digits and _. */
static int write_data(struct api *api, struct str output, struct buf *b, struct err *e)
{
	struct map known;
	struct repo *repos;
	size_t n, some = 0;

	map_init(&known, api->arena);
	map_set(&known, STR("out"), (char *)"out"); /* where it writes */
	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str name = repos[i].name;
		char *called = arena_cstr(api->arena, name);
		struct commit head;
		int rc;

		if (repos[i].role == REPO_SYSTEM || str_has_prefix(name, STR("job_runs/")) || str_eq(name, output))
			continue;
		rc = branch_head(api->store, repos[i].id, store_branch(api->store), &head, e);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		for (char *c = called; *c; c++)
			*c = isalnum((unsigned char)*c) ? *c : '_';
		if (isdigit((unsigned char)*called) || map_get(&known, str_of(called)))
			called = arena_printf(api->arena, "r%zu_%s", i, called);
		map_set(&known, str_of(called), called);
		if (!some++)
			buf_adds(b, "inputs:\n");
		if (write_input(api, arena_strf(api->arena, "%s=%.*s", called, STR_ARG(name)), b, e))
			return -1;
	}
	buf_adds(b, "layout: dsflow\n");
	return 0;
}

static bool port_is_free(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd FD_CLEANUP = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	return fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	       !bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int choose_port(const struct args *args, int64_t *out, struct err *e)
{
	struct str text = args_value(args, "port");

	if (text.p) {
		if (!str_to_i64(text, out) || *out < 1 || *out > 65535)
			return err_set(e, ERR_BAD_REQUEST, "--port %s is no number from 1 to 65535", STR_SHOWN(text));
		return 0;
	}
	for (int port = PORT_FIRST; port < PORT_FIRST + PORT_TRIES; port++)
		if (port_is_free(port)) {
			*out = port;
			return 0;
		}
	return err_set(e, ERR_BUSY, "no port from %d to %d is free", PORT_FIRST, PORT_FIRST + PORT_TRIES - 1);
}

static int no_quote(const char *path, struct err *e)
{
	return err_set(e, ERR_BAD_NAME, "%s has a quote in its path, which no line of a shell can hold safely", path);
}

/* As it is on the PATH of who asks: a virtual environment that is active now need not have been at `leat init`. */
static int find_program(struct arena *a, bool lab, const char **out, struct err *e)
{
	*out = proc_which(a, lab ? "jupyter-lab" : "jupyter-notebook", NULL);
	if (*out && strchr(*out, '\''))
		return no_quote(*out, e);
	if (*out)
		return 0;
	err_set(e, ERR_NO_LIBRARY, "there is no %s on the PATH", lab ? "jupyter-lab" : "jupyter-notebook");
	return err_hint(e, lab ? "pip install jupyterlab" : "pip install notebook, or apt install jupyter-notebook");
}

/*
 * The interpreter that has what the program has: as its first line names it, else the one beside it. NULL: neither (a
 * program that is no script of Python's).
 */
static const char *python_of(struct arena *a, const char *program)
{
	int folder = (int)(strrchr(program, '/') - program);
	const char *out = arena_printf(a, "%.*s/python3", folder, program), *named;
	struct err no = ERR_INIT;
	struct str text, line;

	if (!file_read_plain(a, program, PROGRAM_MAX, &text, &no) && str_next_line(&text, &line) &&
	    str_has_prefix(line, STR("#!/")) && memmem(line.p, line.n, "python", 6)) {
		named = arena_cstr(a, str_sub(line, 2, line.n));
		if (!access(named, X_OK))
			out = named;
	}
	return access(out, X_OK) || strpbrk(out, "'\"\\$`") ? NULL : out;
}

/* Of the session only: its folder is the task's own, and goes with it. */
static void write_kernel(struct buf *sh, const char *python)
{
	buf_addf(sh, "# The kernel `leat`: a python3 forked from one that has imported ipykernel.\npython='%s'\n",
	         python);
	buf_adds(sh,
	         "has='import sys, importlib.util as u; sys.exit(not u.find_spec(\"ipykernel\"))'\n"
	         "if [ \"$LEAT_BIN\" ] && \"$python\" -c \"$has\"; then\n"
	         "\tzygote=leat-kernel-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')\n"
	         "\tmkdir -p \"$HOME/jupyter/kernels/leat\"\n"
	         "\tcat >\"$HOME/jupyter/kernels/leat/kernel.json\" <<END\n"
	         "{\"argv\": [\"$LEAT_BIN\", \"--role\", \"" FORKED_ROLE "\", \"$zygote\", \"\", \"\",\n"
	         " \"$python\", \"-m\", \"ipykernel_launcher\", \"-f\", \"{connection_file}\"],\n"
	         " \"display_name\": \"Python 3 (Leat, forked)\", \"language\": \"python\",\n"
	         " \"metadata\": {\"debugger\": true}}\n"
	         "END\n"
	         "\texport JUPYTER_PATH=\"$HOME/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}\"\n"
	         "\t\"$LEAT_BIN\" --role " ZYGOTE_ROLE " \"$zygote\" $$ kernel \"$python\" &\n"
	         "fi\n");
}

/* An option of jupyter's own. */
static bool wants_data(const struct notebooks *n, const struct args *args)
{
	return !n->notebook && args_flag(args, "data");
}

static int write_job(struct api *api, const struct args *args, struct notebooks *n, struct err *e)
{
	struct buf yaml cleanup(buf_free) = BUF_INIT(TEXT_MAX), sh cleanup(buf_free) = BUF_INIT(TEXT_MAX);
	struct str output = args_value(args, "output");
	const char *program, *python;

	if (choose_port(args, &n->port, e) || (output.p && name_check_repo(output, e)))
		return -1;
	buf_addf(&yaml, MARK MARK_REST "kind: service\ndescription: Jupyter over chosen commits\n");
	if (wants_data(n, args) && !args_count(args, "in") &&
	    write_data(api, output.p ? output : n->name, &yaml, e))
		return -1;
	if (args_count(args, "in"))
		buf_adds(&yaml, "inputs:\n");
	for (size_t i = 0; i < args_count(args, "in"); i++)
		if (write_input(api, args_nth(args, "in", i), &yaml, e))
			return -1;
	if (find_program(api->arena, n->lab, &program, e))
		return -1;
	if (strchr(api->ws->dir, '\''))
		return no_quote(api->ws->dir, e);
	if (output.p)
		buf_addf(&yaml, "output: %.*s\n", STR_ARG(output));
	buf_addf(&yaml, "port: %" PRId64 "\nhealth: /api\nstart_timeout: 120s\nsandbox: on\n", n->port);
	buf_addf(&sh,
	         "# The folders beside out/ are the commits, read-only. out/ becomes a commit when this ends.\n"
	         "JUPYTER_TOKEN=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \\n')\n"
	         "export JUPYTER_TOKEN\n"
	         "(umask 077 && printf %%s \"$JUPYTER_TOKEN\" >token)\n");
	python = python_of(api->arena, program);
	if (python)
		write_kernel(&sh, python);
	buf_addf(&sh,
	         "export LEAT_CONFIG='%s/config'\n"
	         "set --\n"
	         "for d in \"$LEAT_CONFIG\" \"$LEAT_CONFIG/jupyter\"; do\n"
	         "\t[ ! -f \"$d/jupyter_server_config.py\" ] || set -- --config=\"$PWD/" SETTINGS "\"\n"
	         "done\n"
	         "exec '%s' \"$@\" --ip=127.0.0.1 --port=\"$LEAT_PORT\" --no-browser --allow-root \\\n"
	         "\t--notebook-dir=\"${LEAT_OUTPUT%%/*}\" --FileCheckpoints.checkpoint_dir=\"$HOME/checkpoints\"\n",
	         api->ws->dir, program);
	if (buf_over(&yaml) || buf_over(&sh))
		return err_set(e, ERR_LIMIT, "so many --in do not fit into a job");
	if (dir_make(n->dir, 0777, e) ||
	    file_replace(path_join(api->arena, n->dir, SETTINGS), STR(settings), 0666, 0, e) ||
	    file_replace(path_join(api->arena, n->dir, "job.sh"), buf_str(&sh), 0666, 0, e))
		return -1;
	return file_replace(n->file, buf_str(&yaml), 0666, 0, e);
}

/* A job of that name that is not ours is started, never written over. */
static int make_job(struct api *api, const struct args *args, struct notebooks *n, struct err *e)
{
	bool asked = n->notebook || args_count(args, "in") || args_value(args, "output").p ||
	             args_value(args, "port").p || args_flag(args, "lab") || wants_data(n, args),
	     there = file_exists(n->file);
	struct str text = STR("");

	if (there && file_read_plain(api->arena, n->file, TEXT_MAX, &text, e))
		return -1;
	if (there && asked && !str_has_prefix(text, STR(MARK))) {
		err_set(e, ERR_REFUSED, "jobs/%.*s is a job that `leat jupyter` did not make", STR_ARG(n->name));
		return err_hint(e, "leat jupyter --name OTHER makes another; without options it starts this one");
	}
	return there && !asked ? 0 : write_job(api, args, n, e);
}

/* --- while it runs --- */

struct waiting {
	struct stay_place at;
	bool asked; /* to end */
};

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	(void)signo;
	((struct waiting *)ptr)->asked = true;
	loop_stop(loop_of(ev));
}

static void on_look(struct loop_ev *ev, void *ptr)
{
	struct waiting *w = ptr;

	if (stay_is_up(&w->at))
		loop_timer_again(ev, LOOK_MS);
	else
		loop_stop(loop_of(ev));
}

static int wait_for_end(struct waiting *w, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct loop *l = NULL;
	int rc;

	if (loop_new(&l, e))
		return -1;
	loop_timer(l, LOOK_MS, on_look, w);
	rc = loop_signal(l, signals, ARRAY_LEN(signals), on_signal, w, NULL, e) || loop_run(l, e) ? -1 : 0;
	loop_free(l);
	return rc;
}

/* Where the notebook is in Jupyter. */
static const char *jupyter_page(struct arena *a, struct str name, bool lab)
{
	struct buf b cleanup(buf_free) = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c))
			buf_addc(&b, (char)c);
		else
			buf_addf(&b, "%%%02X", c);
	}
	return arena_printf(a, "%s%.*s", lab ? "lab/tree/out/" : "notebooks/out/", STR_ARG(buf_str(&b)));
}

static int say_where(struct api *api, const struct notebooks *n, const struct stay_place *at, struct sink *out,
                     struct err *e)
{
	const struct dom *port = dom_get(stay_state(api->arena, at), "port");
	struct dom *row = dom_new(api->arena, DOM_MAP);
	struct err none = ERR_INIT;
	struct str token = STR("");
	const char *url, *page = n->notebook ? jupyter_page(api->arena, n->notebook->name, n->lab) : "";

	if (file_read_plain(api->arena, arena_printf(api->arena, "%s/work/token", at->dir), TOKEN_MAX, &token, &none))
		err_clear(&none); /* a job of the user's own: it says itself how to come in */
	url = arena_printf(api->arena, "http://127.0.0.1:%" PRId64 "/%s%s%.*s",
	                   port && port->type == DOM_INT ? port->i : 0, page, token.n ? "?token=" : "", STR_ARG(token));
	if (out->people)
		return out->bytes(out->ptr, arena_strf(api->arena, "%s\n", url), e);
	dom_set_str(api->arena, row, "job", n->name);
	dom_set_cstr(api->arena, row, "url", url);
	return sink_row(out, row, e);
}

int api_jupyter(struct api *api, const struct args *args, struct sink *out, struct err *e)
{
	return jupyter_session(api, args, NULL, out, e);
}

int jupyter_session(struct api *api, const struct args *args, const struct jupyter_file *notebook, struct sink *out,
                    struct err *e)
{
	struct notebooks n = {.name = args_value(args, "name"), .notebook = notebook, .lab = args_flag(args, "lab")};
	struct str output = args_value(args, "output");
	struct waiting w = {.asked = false};
	bool up;

	if (!n.name.p)
		n.name = notebook ? STR("notebook") : STR(NAME);
	if (name_check_job(n.name, e))
		return -1;
	n.dir = arena_printf(api->arena, "%s/jobs/%.*s", api->ws->dir, STR_ARG(n.name));
	n.file = path_join(api->arena, n.dir, "job.yaml");
	stay_place(api->arena, api->store, n.name, &w.at);
	up = stay_is_up(&w.at);
	if (up && (notebook || args_count(args, "in"))) {
		err_set(e, ERR_BUSY, "%.*s is up, over the commits that it was started with", STR_ARG(n.name));
		return err_hint(e, "leat down %.*s ends it", STR_ARG(n.name));
	}
	if ((!up && make_job(api, args, &n, e)) || api_open(api, OP_W | OP_J, e) ||
	    (!up && stay_up(api, n.name, out, e)))
		return -1;
	if (notebook && file_replace(path_join(api->arena, w.at.out, arena_cstr(api->arena, notebook->name)),
	                             notebook->text, 0666, 0, e)) {
		struct err ignored = ERR_INIT;

		if (stay_down(api, args, n.name, out, &ignored))
			err_clear(&ignored);
		return -1;
	}
	if (say_where(api, &n, &w.at, out, e))
		return -1;
	if (up || (!notebook && args_flag(args, "detach")))
		return 0;
	sink_note(out, "out/ becomes a commit when it ends: Ctrl-C ends it");
	if (wait_for_end(&w, e) || stay_down(api, args, n.name, out, e))
		return -1;
	return notebook ? notebook->ended(notebook->ptr, output.p ? output : n.name, e) : 0;
}
