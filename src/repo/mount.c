#include "repo/overlay.h"
#include "repo/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "repo/blob.h"
#include "repo/fuse_abi.h"
#include "repo/mount_tree.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/proc.h"

#define FOREVER_S 86400.0 /* what a commit holds does not change */
#define ZONE_S 1.0        /* for how long a new repo may stay unseen in a zone that was just looked at */
#define PURGE_MS 1000     /* between two purges */
#define OPEN_MS 3000      /* after which an open commit that nobody is in is let go: gc waits for who reads one */
#define READDIR_MAX ((size_t)1 << 20)
#define NAME_CAP 256 /* a segment and its NUL */
#define TOP 1             /* FUSE's number of the top folder; all others are pointers */

struct server {
	struct store *store;
	struct mount_tree *tree;
	struct fuse_session *session;
	struct loop *loop;
	struct fuse_buffer request;
	size_t max_nodes;
	int64_t purged; /* when */
	atomic_bool purging;
	struct loop_ev *open_timer; /* NULL: no open commit was looked up since it ran */
};

/* An open folder, read from its beginning on; where it stands is remembered, so that the next page costs a page. */
struct handle {
	struct arena *arena;
	struct zone_entry *zone; /* of a zone: all names */
	size_t n_zone;
	char last[NAME_CAP]; /* given last, of a folder */
	off_t next;                   /* the offset that follows it */
};

static void tell(const char *word, const char *text)
{
	char line[1200];
	int n = snprintf(line, sizeof(line), "%s %s", word, text);
	struct err ignored = ERR_INIT;

	n = MIN(n, (int)sizeof(line) - 2);
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n++] = '\n';
	if (fd_write_all(1, line, (size_t)n, "standard output", &ignored))
		err_clear(&ignored); /* nobody listens any more */
}

static struct server *server_of(fuse_req req)
{
	return libfuse.req_userdata(req);
}

static struct node *node_of(struct server *v, uint64_t ino)
{
	return ino == TOP ? mount_tree_top(v->tree) : (struct node *)(uintptr_t)ino;
}

static uint64_t number_of(struct server *v, const struct node *n)
{
	return n == mount_tree_top(v->tree) ? TOP : (uint64_t)(uintptr_t)n;
}

static int errno_of(const struct err *e)
{
	tell("note", e->msg);
	return e->code == ERR_DISK_FULL ? ENOSPC : EIO;
}

static void entry_of(struct server *v, const struct node *n, struct fuse_entry *out)
{
	*out = (struct fuse_entry){.ino = number_of(v, n), .generation = 1};
	mount_tree_stat(v->tree, n, &out->attr);
	out->attr_timeout = n->root ? FOREVER_S : ZONE_S;
	out->entry_timeout = !n->root ? ZONE_S : mount_tree_moves(n) ? 0 : FOREVER_S;
}

struct purge {
	struct server *v;
	struct arena *arena;
	struct mount_name *names;
	uint64_t *zones;
	size_t n;
};

static void *purge(void *ptr)
{
	struct purge *p = ptr;

	for (size_t i = 0; i < p->n; i++)
		(void)libfuse.notify_inval_entry(p->v->session, p->zones[i], p->names[i].name,
		                                 strlen(p->names[i].name));
	atomic_store(&p->v->purging, false);
	arena_free(p->arena);
	return NULL;
}

/*
 * The kernel knows of too many files: it is told to forget all that nobody has open. From a thread of its own, since it
 * may wait for a request that is being answered.
 */
static void let_go(struct server *v, bool open)
{
	struct arena *a = arena_new();
	struct purge *p = arena_new_of(a, struct purge);
	pthread_t thread;

	p->v = v;
	p->arena = a;
	mount_tree_roots(v->tree, a, open, &p->names, &p->n);
	p->zones = arena_array(a, uint64_t, p->n);
	for (size_t i = 0; i < p->n; i++)
		p->zones[i] = number_of(v, p->names[i].zone);
	atomic_store(&v->purging, true);
	if (pthread_create(&thread, NULL, purge, p)) {
		atomic_store(&v->purging, false);
		arena_free(a);
	} else {
		pthread_detach(thread);
	}
}

static void let_go_many(struct server *v)
{
	if (mount_tree_nodes(v->tree) <= v->max_nodes || atomic_load(&v->purging) ||
	    clock_mono_ms() - v->purged < PURGE_MS)
		return;
	v->purged = clock_mono_ms();
	let_go(v, false);
}

/* Who is in it stays in it: the kernel forgets it when they leave. */
static void on_open_timer(struct loop_ev *ev, void *ptr)
{
	struct server *v = ptr;

	(void)ev;
	v->open_timer = NULL;
	if (!mount_tree_open(v->tree))
		return;
	if (!atomic_load(&v->purging))
		let_go(v, true);
	v->open_timer = loop_timer(v->loop, OPEN_MS, on_open_timer, v); /* who is in it may leave */
}

static void watch_open(struct server *v)
{
	if (!v->open_timer && mount_tree_open(v->tree))
		v->open_timer = loop_timer(v->loop, OPEN_MS, on_open_timer, v);
}

static void on_lookup(fuse_req req, uint64_t parent, const char *name)
{
	struct server *v = server_of(req);
	struct err e = ERR_INIT;
	struct fuse_entry en;
	struct node *n;
	int r = mount_tree_lookup(v->tree, node_of(v, parent), str_of(name), &n, &e);

	if (r <= 0) {
		libfuse.reply_err(req, r ? errno_of(&e) : ENOENT);
		return;
	}
	entry_of(v, n, &en);
	if (libfuse.reply_entry(req, &en)) /* who asked has been killed: he does not hold it */
		mount_tree_forget(v->tree, n, 1);
	let_go_many(v);
	watch_open(v);
}

static void on_forget(fuse_req req, uint64_t ino, uint64_t n)
{
	struct server *v = server_of(req);

	if (ino != TOP)
		mount_tree_forget(v->tree, node_of(v, ino), n);
	libfuse.reply_none(req);
}

static void on_getattr(fuse_req req, uint64_t ino, struct fuse_file *file)
{
	struct server *v = server_of(req);
	struct fuse_entry en;

	(void)file;
	entry_of(v, node_of(v, ino), &en);
	libfuse.reply_attr(req, &en.attr, en.attr_timeout);
}

static void on_open(fuse_req req, uint64_t ino, struct fuse_file *file)
{
	struct server *v = server_of(req);
	struct node *n = node_of(v, ino);
	struct err e = ERR_INIT;
	int fd;

	if ((file->flags & O_ACCMODE) != O_RDONLY) {
		libfuse.reply_err(req, EROFS);
	} else if (blob_open(v->store, &n->id, &fd, &e)) {
		libfuse.reply_err(req, errno_of(&e));
	} else {
		file->fh = (uint64_t)fd;
		file->bits |= FUSE_F_KEEP_CACHE;
		if (libfuse.reply_open(req, file))
			close(fd);
	}
}

static void on_read(fuse_req req, uint64_t ino, size_t size, off_t off, struct fuse_file *file)
{
	struct fuse_buffers b = {.count = 1};

	(void)ino;
	b.buf[0] = (struct fuse_buffer){.size = size, .flags = FUSE_B_FD | FUSE_B_SEEK | FUSE_B_RETRY,
	                                .fd = (int)file->fh, .pos = off};
	libfuse.reply_data(req, &b, 0);
}

static void on_release(fuse_req req, uint64_t ino, struct fuse_file *file)
{
	(void)ino;
	close((int)file->fh);
	libfuse.reply_err(req, 0);
}

static void handle_free(struct handle *h)
{
	arena_free(h->arena);
	free(h);
}

static void on_opendir(fuse_req req, uint64_t ino, struct fuse_file *file)
{
	struct server *v = server_of(req);
	struct node *n = node_of(v, ino);
	struct handle *h = xcalloc(1, sizeof(*h));
	struct err e = ERR_INIT;

	h->arena = arena_new();
	if (n->kind == NODE_ZONE && mount_tree_zone(v->tree, n, h->arena, &h->zone, &h->n_zone, &e)) {
		handle_free(h);
		libfuse.reply_err(req, errno_of(&e));
		return;
	}
	file->fh = (uint64_t)(uintptr_t)h;
	if (n->kind == NODE_FOLDER)
		file->bits |= FUSE_F_KEEP_CACHE | FUSE_F_CACHE_READDIR;
	if (libfuse.reply_open(req, file))
		handle_free(h);
}

static void on_releasedir(fuse_req req, uint64_t ino, struct fuse_file *file)
{
	(void)ino;
	handle_free((struct handle *)(uintptr_t)file->fh);
	libfuse.reply_err(req, 0);
}

/* A page of a folder being filled. */
struct page_of {
	fuse_req req;
	struct server *v;
	struct node *folder;
	struct handle *h;
	bool plus;
	char *buf;
	size_t cap, n;
	off_t skip; /* entries that the reader has had: after a seek */
	off_t at;   /* the offset of the next entry */
};

/* 0 it is in, 1 there is no room for it. */
static int add(struct page_of *p, const char *name, const struct fuse_entry *en)
{
	size_t room = p->cap - p->n;
	size_t need = p->plus ? libfuse.add_direntry_plus(p->req, p->buf + p->n, room, name, en, p->at + 1)
	                      : libfuse.add_direntry(p->req, p->buf + p->n, room, name, &en->attr, p->at + 1);

	if (need > room)
		return 1;
	p->n += need;
	p->at++;
	return 0;
}

/* Without attributes: its number and kind only. */
static int add_bare(struct page_of *p, const char *name, uint64_t ino)
{
	struct fuse_entry en = {.attr = {.st_ino = ino, .st_mode = S_IFDIR}};

	return add(p, name, &en);
}

static int add_entry(void *ptr, struct str path, const struct entry *entry, struct err *e)
{
	struct page_of *p = ptr;
	char name[NAME_CAP];
	struct fuse_entry en = {0};
	struct node *n = NULL;

	(void)e;
	if (p->skip) {
		p->skip--;
		return 0;
	}
	snprintf(name, sizeof(name), "%.*s", STR_ARG(path));
	if (p->plus) {
		n = mount_tree_child(p->v->tree, p->folder, entry);
		entry_of(p->v, n, &en);
	} else {
		en.attr.st_ino = mount_tree_ino(p->folder, path);
		en.attr.st_mode = entry->kind == ENTRY_FILE ? S_IFREG : S_IFDIR;
	}
	if (add(p, name, &en)) {
		if (n)
			mount_tree_forget(p->v->tree, n, 1);
		return 1;
	}
	snprintf(p->h->last, sizeof(p->h->last), "%s", name);
	p->h->next = p->at;
	return 0;
}

static int fill(struct page_of *p, struct err *e)
{
	struct handle *h = p->h;
	struct str after = STR_NULL;

	if ((p->at == 0 && add_bare(p, ".", p->folder->ino)) || (p->at == 1 && add_bare(p, "..", TOP)))
		return 0;
	if (p->folder->kind == NODE_ZONE) {
		for (size_t i = (size_t)p->at - 2; i < h->n_zone; i++)
			if (add_bare(p, arena_cstr(h->arena, h->zone[i].name), h->zone[i].ino))
				break;
		return 0;
	}
	if (p->at > 2 && p->at == h->next)
		after = str_of(h->last);
	else
		p->skip = p->at - 2;
	return tree_list(p->v->store, NULL, &p->folder->id, after, add_entry, p, e);
}

static void read_folder(fuse_req req, uint64_t ino, size_t size, off_t off, struct fuse_file *file, bool plus)
{
	struct server *v = server_of(req);
	struct page_of p = {.req = req, .v = v, .folder = node_of(v, ino), .plus = plus, .at = off,
	                    .h = (struct handle *)(uintptr_t)file->fh, .cap = MIN(size, READDIR_MAX)};
	struct err e = ERR_INIT;

	p.buf = xmalloc(p.cap);
	if (fill(&p, &e))
		libfuse.reply_err(req, errno_of(&e));
	else
		libfuse.reply_buf(req, p.buf, p.n);
	free(p.buf);
	let_go_many(v);
	watch_open(v);
}

static void on_readdir(fuse_req req, uint64_t ino, size_t size, off_t off, struct fuse_file *file)
{
	read_folder(req, ino, size, off, file, false);
}

static void on_readdirplus(fuse_req req, uint64_t ino, size_t size, off_t off, struct fuse_file *file)
{
	read_folder(req, ino, size, off, file, true);
}

static void on_statfs(fuse_req req, uint64_t ino)
{
	struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255, .f_flag = ST_RDONLY};

	(void)ino;
	libfuse.reply_statfs(req, &st);
}

static const struct fuse_ops ops = {
	.lookup = on_lookup,
	.forget = on_forget,
	.getattr = on_getattr,
	.open = on_open,
	.read = on_read,
	.release = on_release,
	.opendir = on_opendir,
	.readdir = on_readdir,
	.releasedir = on_releasedir,
	.statfs = on_statfs,
	.readdirplus = on_readdirplus,
};

static void on_request(struct loop_ev *ev, uint32_t events, void *ptr)
{
	struct server *v = ptr;
	int n = libfuse.session_receive_buf(v->session, &v->request);

	(void)events;
	if (n == -EINTR || n == -EAGAIN)
		return;
	if (n > 0)
		libfuse.session_process_buf(v->session, &v->request);
	if (n <= 0 || libfuse.session_exited(v->session))
		loop_stop(loop_of(ev)); /* somebody has unmounted it */
}

static void on_stdin(struct loop_ev *ev, uint32_t events, void *ptr)
{
	char bytes[64];

	(void)events;
	(void)ptr;
	if (read(0, bytes, sizeof(bytes)) == 0)
		loop_stop(loop_of(ev));
}

static void on_signal(struct loop_ev *ev, int signo, void *ptr)
{
	(void)signo;
	(void)ptr;
	loop_stop(loop_of(ev));
}

static int serve(struct server *v, bool stay, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP /* last */};
	int fd = libfuse.session_fd(v->session);

	if (stay) /* the terminal that it was started from may close */
		signal(SIGHUP, SIG_IGN);
	if (fd_nonblock(fd, true, e) || loop_fd(v->loop, fd, EPOLLIN, on_request, v, NULL, e) ||
	    loop_signal(v->loop, signals, ARRAY_LEN(signals) - stay, on_signal, v, NULL, e))
		return -1;
	if (!stay && loop_fd(v->loop, 0, EPOLLIN, on_stdin, v, NULL, e))
		return -1;
	tell("ready", "");
	return loop_run(v->loop, e);
}

/* Each file that somebody has open is a descriptor here. */
static void many_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l)) {
		l.rlim_cur = l.rlim_max;
		(void)!setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int mount_and_serve(struct server *v, const char *dir, bool others, bool stay, struct err *e)
{
	const char *argv[8] = {"leat", "-oro,nosuid,nodev,default_permissions", "-ofsname=leat", "-osubtype=leat"};
	struct fuse_arguments args = {.argc = 4, .argv = argv};
	int rc;

	if (others)
		argv[args.argc++] = "-oallow_other";
	v->session = libfuse.session_new(&args, &ops, sizeof(ops), v);
	if (!v->session)
		return err_set(e, ERR_NO_LIBRARY, "libfuse3 does not take leat's operations");
	if (libfuse.session_mount(v->session, dir)) {
		libfuse.session_destroy(v->session);
		err_set(e, ERR_REFUSED, "%s cannot be mounted on", dir);
		return err_hint(e, "'leat checkout PIN DIR' needs no mount");
	}
	rc = serve(v, stay, e);
	libfuse.session_unmount(v->session);
	while (atomic_load(&v->purging))
		clock_sleep_ms(1);
	libfuse.session_destroy(v->session);
	return rc;
}

int mount_worker_main(int argc, char **argv)
{
	struct server v = {.max_nodes = MOUNT_NODES};
	struct workspace *ws = NULL;
	struct err e = ERR_INIT;
	struct arena *a cleanup(arena_cleanup) = arena_new();
	bool others = false, stay = false;
	struct str on = STR_NULL;
	int rc = -1;

	if (argc < 5)
		return 2;
	for (int i = 5; i < argc; i++) {
		others |= !strcmp(argv[i], "allow-other");
		stay |= !strcmp(argv[i], "stay");
		if (!strncmp(argv[i], "on=", 3))
			on = str_of(argv[i] + 3);
		if (!strncmp(argv[i], "nodes=", 6))
			v.max_nodes = strtoul(argv[i] + 6, NULL, 10);
	}
	signal(SIGPIPE, SIG_IGN);
	many_files();
	if (!fuse_abi_load(&e) && !workspace_open(argv[3], &ws, &e) && !store_open(ws, &v.store, &e) &&
	    !overlay_use(v.store, a, on, &e) && !loop_new(&v.loop, &e)) {
		v.tree = mount_tree_new(v.store);
		rc = mount_and_serve(&v, argv[4], others, stay, &e);
		mount_tree_free(v.tree);
	}
	if (rc) {
		tell("error", e.msg);
		tell("hint", e.hint);
	}
	free(v.request.mem);
	loop_free(v.loop);
	store_close(v.store);
	workspace_close(ws);
	return rc ? 1 : 0;
}

#define INSTEAD "'leat checkout PIN DIR' shows a pin as plain files without any of that"

int mount_possible(struct err *e)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	int fd FD_CLEANUP = -1;

	if (fuse_abi_load(e))
		return err_hint(e, "apt install libfuse3-3 fuse3; " INSTEAD);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		if (errno == ENOENT)
			err_set(e, ERR_REFUSED, "this machine has no /dev/fuse, so nothing can be mounted");
		else
			err_set(e, ERR_REFUSED, "/dev/fuse cannot be opened: %s", strerror(errno));
		return err_hint(e, INSTEAD);
	}
	if (getuid() && !proc_which(a, "fusermount3", NULL)) {
		err_set(e, ERR_REFUSED, "there is no fusermount3, which mounts for those who are not root");
		return err_hint(e, "apt install fuse3; " INSTEAD);
	}
	return 0;
}

void mount_clear(const char *dir)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	const char *argv[] = {"fusermount3", "-u", "-z", "-q", dir, NULL};
	struct proc_spec spec = PROC_SPEC;
	struct err ignored = ERR_INIT;
	int fd FD_CLEANUP = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct proc_exit x;
	struct str out;

	if (fd >= 0 || errno != ENOTCONN)
		return;
	spec.argv = argv;
	if (umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW) &&
	    proc_output(a, &spec, 1024, 10000, &out, &x, &ignored))
		err_clear(&ignored);
}

int mount_prepare(struct store *s, struct arena *a, const char *dir, char **out, bool *made, struct err *e)
{
	char *path, *real;
	bool empty, there;

	if (path_absolute(a, dir, &path, e))
		return -1;
	mount_clear(path);
	there = file_exists(path);
	if (dir_make(path, 0777, e))
		return -1;
	real = realpath(path, NULL);
	if (real)
		path = arena_dup(a, real);
	free(real);
	if (path_inside(s->leat_dir, path, NULL) || path_inside(s->data_dir, path, NULL) ||
	    path_inside(path, s->ws->dir, NULL)) {
		err_set(e, ERR_REFUSED, "%s is no place for a mount: the workspace itself lies there", path);
		return err_hint(e, "name a folder of its own");
	}
	if (dir_is_empty(path, &empty, e))
		return -1;
	if (!empty) {
		err_set(e, ERR_REFUSED, "%s is not empty, and what is in it would be hidden", path);
		return err_hint(e, "name an empty folder, or one that is not there");
	}
	*out = path;
	*made = !there;
	return 0;
}
