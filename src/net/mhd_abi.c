#include "net/mhd_abi.h"

#include "sys/dl.h"

struct mhd_abi libmhd;

#define SYM(field) {.name = "MHD_" #field, .where = &libmhd.field}
static const struct dl_symbol mhd_symbols[] = {
	SYM(start_daemon),
	SYM(stop_daemon),
	SYM(add_connection),
	SYM(run),
	SYM(get_timeout),
	SYM(get_daemon_info),
	SYM(get_connection_info),
	SYM(lookup_connection_value),
	SYM(queue_response),
	SYM(suspend_connection),
	SYM(resume_connection),
	SYM(create_response_from_buffer),
	SYM(create_response_from_fd_at_offset64),
	SYM(create_response_from_callback),
	SYM(add_response_header),
	SYM(destroy_response),
};
static const char *const mhd_names[] = {"libmicrohttpd.so.12", NULL};
static struct dl_lib mhd_library = {
	.name = "libmicrohttpd",
	.package = "libmicrohttpd12",
	.paths = mhd_names,
	.symbols = mhd_symbols,
	.n_symbols = ARRAY_LEN(mhd_symbols),
};

int mhd_abi_load(struct err *e)
{
	return dl_load(&mhd_library, e);
}
