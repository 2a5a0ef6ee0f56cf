#include "repo/fuse_abi.h"

#include "sys/dl.h"

struct fuse_abi libfuse;

#define SYM(fn) {.name = "fuse_" #fn, .where = &libfuse.fn}
static const struct dl_symbol symbols[] = {
	SYM(session_new),	SYM(session_mount), SYM(session_unmount), SYM(session_destroy),
	SYM(session_fd),	SYM(session_exited), SYM(session_receive_buf), SYM(session_process_buf),
	SYM(req_userdata),	SYM(reply_err), SYM(reply_none), SYM(reply_entry),
	SYM(reply_attr),	SYM(reply_open), SYM(reply_buf), SYM(reply_data),
	SYM(reply_statfs),	SYM(add_direntry), SYM(add_direntry_plus),
	{.name = "fuse_lowlevel_notify_inval_entry", .where = &libfuse.notify_inval_entry},
};
static const char *const names[] = {"libfuse3.so.3", NULL};
static struct dl_lib library = {
	.name = "libfuse3",
	.package = "libfuse3-3 fuse3",
	.paths = names,
	.symbols = symbols,
	.n_symbols = ARRAY_LEN(symbols),
};

int fuse_abi_load(struct err *e)
{
	return dl_load(&library, e);
}
