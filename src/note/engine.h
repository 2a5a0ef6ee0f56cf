/*
 * note/engine.h: what executes the cells of a notebook, one at a time, behind one face for all languages.
 *
 * An engine is a process (or a wire to one) that is watched by the loop of who runs the notebook (note/run.h). All that
 * it tells comes from the loop, in the order in which it happened; after `died` nothing comes any more.
 */
#ifndef LEAT_NOTE_ENGINE_H
#define LEAT_NOTE_ENGINE_H

#include "base/dom.h"
#include "sys/loop.h"

/* How a cell ended. */
enum engine_how {
	ENGINE_OK,
	ENGINE_ERROR, /* with the three below, as nbformat has them */
	ENGINE_LEFT,  /* the notebook ended itself, well: sys.exit(0) */
};
struct engine_done {
	enum engine_how how;
	int64_t count;              /* execution_count */
	struct str ename, evalue;
	const struct dom *traceback; /* a list of lines */
	int64_t line;               /* of what was run; 0: not known */
};

/* What an engine tells of. Strings and documents are valid during the call. */
struct engine_told {
	void (*ready)(void *ptr, const struct dom *about);             /* {version, executable, engine, …} */
	void (*stream)(void *ptr, bool err, struct str text);           /* a piece of what is printed */
	void (*output)(void *ptr, const struct dom *o, struct str id);  /* nbformat's; id: display_id, or STR_NULL */
	void (*update)(void *ptr, const struct dom *o, struct str id);  /* in place of those with that id */
	void (*clear)(void *ptr, bool wait);                            /* clear_output */
	void (*done)(void *ptr, const struct engine_done *d);           /* of the cell that was run */
	void (*died)(void *ptr, const char *how);                       /* "killed by signal 9 (Killed)" */
};

struct kernel_spec;
struct engine_start {
	const char *program;    /* "python3": looked up in PATH */
	const struct kernel_spec *kernel; /* of engine_kernel, instead: note/kernel.h */
	const char *folder;     /* likewise: private and there, for its sockets; at most 90 bytes */
	const char *notebook;   /* what its argv names */
	const char *mode;       /* "auto", "ipython", "python" */
	const char *zygote;     /* forked from the one of this name if that can be (python_warm.h); NULL */
	const char *group;      /* of a forked one: python_warm.h; NULL */
	const char *const *env; /* NULL: ours */
	const struct engine_told *told;
	void *ptr;
};

/* What its process took of the machine, and whether something of it may still run. */
struct engine_end {
	bool apart; /* it was no child of this process: nobody else knows the rest */
	bool placed; /* and came into our group of processes, which counts for it */
	int64_t cpu_ms, peak_kb;
	bool left;
};

struct engine;
struct engine_kind {
	const char *name;
	must_check int (*start)(struct arena *a, struct loop *l, const struct engine_start *s, struct engine **out,
	                        struct err *e);
	/* A map of names that the notebook finds set. Before the first cell. */
	must_check int (*set)(struct engine *g, const struct dom *vars, struct err *e);
	/* `name` is what tracebacks call it: "cell 3". */
	must_check int (*run)(struct engine *g, struct str source, const char *name, struct err *e);
	/* Before any cell, in the notebook's names, and not counted among them. Of Python only. */
	must_check int (*startup)(struct engine *g, struct str source, const char *name, struct err *e);
	void (*interrupt)(struct engine *g); /* of the cell: done still comes, with an error, if it listens */
	/* It ends: by itself within ms, else by force. It tells nothing any more. */
	void (*stop)(struct engine *g, int64_t ms);
	/* After stop: waits until its process is no more, and frees. NULL: stop has done all that. */
	void (*free)(struct engine *g, struct engine_end *end);
};

extern const struct engine_kind engine_python; /* python.c */
extern const struct engine_kind engine_kernel; /* kernel.c: any kernel of Jupyter */

#endif
