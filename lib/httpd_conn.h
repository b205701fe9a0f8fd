#ifndef HTTPD_CONN_H
#define HTTPD_CONN_H
/*
 * What the files of httpd share: the server, a connection, a request.
 */
#include <sys/queue.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "buf.h"
#include "httpd.h"
#include "httpd_body.h"
#include "httpd_head.h"

enum httpd_state {
	CONN_HEAD,	/* between requests, or inside a head */
	CONN_BODY,
	CONN_ANSWER,	/* the handler's turn: it answers later, or streams */
	CONN_FLUSH,	/* the answer is complete, not all of it is sent */
	CONN_LINGER,	/* what still comes is read over, then closed */
};

/* What the connection's one timer waits for. */
enum httpd_wait {
	WAIT_NONE,
	WAIT_SOON,	/* the next turn: something to report */
	WAIT_IDLE,
	WAIT_HEADER,
	WAIT_BODY,
	WAIT_HELD,
	WAIT_WRITE,
	WAIT_LINGER,
};

TAILQ_HEAD(httpd_list, httpd_conn);

struct httpd_conn {
	struct httpd *server;
	TAILQ_ENTRY(httpd_conn) all, line, turn;
	struct httpd_list *list;	/* that line is in, or NULL */
	struct loop_watch watch;
	struct loop_timer timer;
	enum httpd_wait wait;
	enum httpd_state state;
	struct buf in;		/* read, and not yet understood */
	size_t scanned;		/* of in, for the end of the head */
	struct buf out;		/* to be sent, from sent on */
	size_t sent;
	uint64_t went;		/* bytes given to the kernel, ever */
	uint64_t taken;		/* of these, by the reader, at WAIT_WRITE */
	struct httpd_request *request;	/* one at a time, or NULL */
	char remote[64];
	bool loopback;		/* the caller is on this machine */
	bool held;		/* out waits for what follows */
	bool used;		/* a byte has come */
	bool moved;		/* something went on: the timer begins anew */
	bool more;		/* goes on when its turn comes */
	bool queued;		/* for that, in server->ahead */
	bool eof;		/* the client sends no more, all is read */
	bool halved;		/* the same, seen while answering */
	bool close;		/* after the present answer */
	bool broken;		/* cannot be written to */
	bool busy;		/* inside httpd_conn_work */
};

struct httpd_request {
	struct route_request route;
	struct httpd_conn *conn;
	struct httpd_body reading;
	struct buf body;
	httpd_gone *gone;
	httpd_drained *drained;
	void *arg;
	bool later;
	bool streams;		/* its head has been written */
	bool bare;		/* no body may be sent: HEAD, 204, 304 */
	bool chunked;
	bool counted;		/* left says how many bytes must come */
	unsigned long long left;
	size_t began;		/* of conn->out, where a stream begins */
	unsigned long long bytes;	/* of the answer's body, for the log */
	int status;
	int64_t since;
	struct httpd_head head;	/* the last: most of it is never touched */
};

struct httpd {
	struct loop *loop;
	struct httpd_config config;
	const struct route_table *table;
	struct loop_watch watch;	/* of the listening descriptor */
	struct loop_timer retry;	/* when accept(2) failed */
	int fd;			/* -1 when draining */
	struct httpd_list conns;
	struct httpd_list idle, begun;	/* between requests, or inside one
					 * that is not all there, or was not
					 * read to its end; the oldest first */
	struct httpd_list ahead;	/* those that go on by themselves */
	struct loop_timer turn;		/* runs while there are some */
	size_t count;
	size_t later;		/* requests that wait for their answer */
	bool draining;
	void (*drained)(void *);
	void *arg;
	time_t second;		/* of date */
	char date[40];
};

enum {
	HTTPD_READ = 16384,	/* bytes a recv(2) */
	HTTPD_UNSENT = 262144,	/* of a connection, that wait in the kernel
				 * to be sent: more than fits a cache makes
				 * large bodies slower */
	HTTPD_TURN = 32,	/* requests sent ahead, of all, a turn */
	HTTPD_DISCARD = 65536,	/* of a body nobody asked for */
};

/* httpd.c. Counts a connection out and frees it; accepts again. */
void httpd_forget(struct httpd_conn *);
/* There may be room again. */
void httpd_resume(struct httpd *);
const char *httpd_date(struct httpd *);

/* httpd_conn.c. Takes fd: a new connection, or none when memory is out. */
void httpd_conn_open(struct httpd *, int fd, const char *remote,
    bool loopback);
/* Tells the request it is gone, closes and frees. */
void httpd_conn_close(struct httpd_conn *);
/* httpd's turn: the next ones of `ahead`. */
void httpd_conn_turn(struct loop_timer *);
/* After anything has changed: what to wait for now. */
void httpd_conn_settle(struct httpd_conn *);
/* The request is answered: frees it. The connection goes on or ends. */
void httpd_conn_answered(struct httpd_conn *);

/* httpd_step.c. The next step of a connection. */
enum httpd_step {
	STEP_ON,	/* there may be another */
	STEP_WAIT,	/* for the loop, or for the handler */
	STEP_END,	/* close it */
};
enum httpd_step httpd_step(struct httpd_conn *);
enum httpd_step httpd_step_refuse(struct httpd_conn *, int status,
    const char *why);

/* httpd_send.c. Sends what it can and keeps the rest. Three pieces at most. */
void httpd_send(struct httpd_conn *, const struct iovec *, size_t count);
/* Keeps it, to be sent with what follows, or in the next turn. */
void httpd_send_later(struct httpd_conn *, const struct iovec *,
    size_t count);
size_t httpd_pending(const struct httpd_conn *);
/* Bytes that the reader's machine has taken, ever. */
uint64_t httpd_send_taken(const struct httpd_conn *);

/* httpd_reply.c. The whole answer; frees what is in reply. */
void httpd_answer(struct httpd_request *, struct route_reply *);
/* The lines that every answer has, up to those of its framing, into what the
 * connection has to send. */
void httpd_reply_head(struct httpd_request *, int status);
void httpd_reply_length(struct httpd_request *, unsigned long long);
/* The lines that end it. */
void httpd_reply_end(struct httpd_request *);
/* problem+json, and the end of the connection. */
void httpd_refuse(struct httpd_request *, int status, const char *why);

/* httpd_stream.c. The client said that it sends no more: asks the network
 * whether it is still there at all. */
void httpd_stream_probe(struct httpd_request *);

#endif
