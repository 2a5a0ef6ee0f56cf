/*
 * net/mhd_abi.h: the parts of libmicrohttpd (0.9.71 and later) that we use, declared by us, so that no header of its is
 * needed and nothing links against it: with what it links itself (GnuTLS and eight more) it would cost every command
 * 1.7 ms at its start and 3 MB. Names, numbers and shapes are those of its stable ABI. Loaded by `leat serve` only.
 */
#ifndef LEAT_NET_MHD_ABI_H
#define LEAT_NET_MHD_ABI_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"

struct MHD_Daemon;
struct MHD_Connection;
struct MHD_Response;

enum { MHD_NO, MHD_YES };
enum { /* flags of a daemon */
	MHD_USE_NO_LISTEN_SOCKET = 256,
	MHD_USE_EPOLL = 512,
	MHD_ALLOW_SUSPEND_RESUME = 8192 | 1024,
};
enum {
	MHD_OPTION_END = 0,
	MHD_OPTION_CONNECTION_MEMORY_LIMIT = 1, /* size_t */
	MHD_OPTION_CONNECTION_LIMIT = 2,        /* unsigned */
	MHD_OPTION_CONNECTION_TIMEOUT = 3,      /* unsigned, seconds */
	MHD_OPTION_NOTIFY_COMPLETED = 4,        /* void f(void *, connection, void **, int how), void * */
	MHD_OPTION_URI_LOG_CALLBACK = 7,        /* void *f(void *, const char *uri, connection), void * */
	MHD_OPTION_NOTIFY_CONNECTION = 27,      /* void f(void *, connection, void **, int what), void * */
};
enum { MHD_REQUEST_TERMINATED_COMPLETED_OK = 0 };
enum { MHD_CONNECTION_NOTIFY_STARTED, MHD_CONNECTION_NOTIFY_CLOSED };
enum { MHD_CONNECTION_INFO_CONNECTION_FD = 6, MHD_CONNECTION_INFO_SOCKET_CONTEXT = 7 };
enum { MHD_DAEMON_INFO_EPOLL_FD = 3 };
enum { MHD_HEADER_KIND = 1 };
enum { MHD_RESPMEM_MUST_COPY = 2 };
#define MHD_SIZE_UNKNOWN UINT64_MAX
#define MHD_CONTENT_READER_END_OF_STREAM ((ssize_t)-1)
#define MHD_CONTENT_READER_END_WITH_ERROR ((ssize_t)-2)

union MHD_Info { /* of a connection, of a daemon: what was asked for */
	int fd;
	void *context;
};

typedef int mhd_access(void *ptr, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                       const char *data, size_t *n, void **request);
typedef ssize_t mhd_reader(void *ptr, uint64_t at, char *buf, size_t max);

struct mhd_abi {
	struct MHD_Daemon *(*start_daemon)(unsigned flags, uint16_t port, void *accept, void *accept_ptr,
	                                   mhd_access *cb, void *ptr, ...);
	void (*stop_daemon)(struct MHD_Daemon *);
	int (*add_connection)(struct MHD_Daemon *, int fd, const struct sockaddr *, socklen_t);
	int (*run)(struct MHD_Daemon *);
	int (*get_timeout)(struct MHD_Daemon *, unsigned long long *ms);
	const union MHD_Info *(*get_daemon_info)(struct MHD_Daemon *, int what, ...);
	const union MHD_Info *(*get_connection_info)(struct MHD_Connection *, int what, ...);
	const char *(*lookup_connection_value)(struct MHD_Connection *, int kind, const char *key);
	int (*queue_response)(struct MHD_Connection *, unsigned status, struct MHD_Response *);
	void (*suspend_connection)(struct MHD_Connection *);
	void (*resume_connection)(struct MHD_Connection *);
	struct MHD_Response *(*create_response_from_buffer)(size_t n, void *p, int how);
	struct MHD_Response *(*create_response_from_fd_at_offset64)(uint64_t n, int fd, uint64_t at); /* closes fd */
	struct MHD_Response *(*create_response_from_callback)(uint64_t n, size_t block, mhd_reader *cb, void *ptr,
	                                                      void (*done)(void *));
	int (*add_response_header)(struct MHD_Response *, const char *name, const char *value);
	void (*destroy_response)(struct MHD_Response *);
};
extern struct mhd_abi libmhd;
must_check int mhd_abi_load(struct err *e);

#endif
