#ifndef FETCH_INNER_H
#define FETCH_INNER_H
/*
 * What the family of fetch shares: fetch.c (one request), fetch_hub.c (libcurl
 * on the loop) and the rest of fetch_*.c. Nobody else includes it.
 *
 * The rule of the house: while `depth` is not 0 we are below libcurl or
 * below a caller's callback, and there curl_multi_* may not be called. What
 * is wanted then is noted in the fetch and done in the next turn.
 */
#include <sys/queue.h>
#include <time.h>

#include <curl/curl.h>

#include "fetch.h"

TAILQ_HEAD(fetch_list, fetch);

enum { FETCH_PIECE = 65536 };	/* bytes read at once */

struct fetch_hub {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;	/* libcurl's own */
	struct loop_timer later;	/* runs `work` */
	struct fetch_list all;
	struct fetch_list spare;	/* the one used last is first */
	size_t spares;
	struct buf said;	/* of the request that is to begin */
	struct fetch_list work;		/* what could not be done at once */
	size_t waiting;			/* entries of work */
	unsigned depth;
	struct timespec now;		/* as libcurl began what it does, or
					 * some of its reads later */
	unsigned reads;			/* of the time, since then */
	struct fetch_socket **sockets;	/* by descriptor; or NULL */
	size_t sockets_cap;
};

struct fetch {
	TAILQ_ENTRY(fetch) entry;	/* of hub->all, or of hub->spare */
	struct fetch_hub *hub;
	CURL *easy;
	CURLU *url;
	struct curl_slist *headers;
	struct curl_slist *fewer;	/* of these, for another origin */
	struct buf said;	/* what easy was told; empty: not to be kept */
	bool told;		/* easy knows it all */
	struct buf fields;	/* of the last head, as fetch_field.c has it */
	char error[CURL_ERROR_SIZE];	/* libcurl's */
	/* from here on it is one request's */
	struct loop_timer timer;	/* timeout_ms */
	TAILQ_ENTRY(fetch) turn;	/* of hub->work, when `put_off` */
	int64_t timeout_ms;
	int64_t heard;		/* loop_now of the last sign of life */
	size_t max_body, got;
	long long length;	/* of the body, once headed; -1: not known */
	struct buf body;
	size_t lines, headers_len;	/* of all heads so far, in bytes */
	enum fetch_end end;	/* why a callback of ours stopped libcurl */
	bool follow;
	bool abroad;		/* easy was told `fewer` */
	bool put_off;		/* in hub->work */
	bool added;		/* to the multi handle */
	bool paused;
	bool wake;		/* fetch_resume was asked for */
	bool stopped;		/* `end` and `why` say it */
	bool heading;		/* inside a head, behind its first line */
	bool headed;		/* the final head has been seen */
	bool ended;		/* done is being called */
	bool well;		/* it was FETCH_DONE */
	bool dead;		/* cancelled; waits for its burial */
	bool refused;		/* an address was; `refusal` names it */
	struct fetch_socket *socket;	/* of its connection, when known */
	int port;		/* of its connection, on this side */
	const char *why;	/* of `stopped`, which libcurl words anew */
	char refusal[80];
	bool (*allow)(void *arg, const struct sockaddr *);
	void (*head)(void *arg, const struct fetch_result *);
	bool (*data)(void *arg, const void *, size_t);
	void (*done)(void *arg, const struct fetch_result *);
	void *arg;
};

/* fetch_hub.c */
void fetch_hub_put_off(struct fetch *);
bool fetch_hub_add(struct fetch *);
void fetch_hub_remove(struct fetch *);
/* Something has happened that libcurl waits for. */
void fetch_hub_act(struct fetch_hub *, curl_socket_t, int events);

/* fetch_memory.c: libcurl begins, and ends. One thread's, for each of its
 * hubs. False: it cannot, or memory is short. */
bool fetch_memory_start(void);
void fetch_memory_stop(void);

/* fetch_spare.c. A new one, or one that is `told` and needs no
 * fetch_options_set. Gives; NULL: out of memory. */
struct fetch *fetch_spare_new(struct fetch_hub *,
    const struct fetch_request *);
/* Takes what is in no list, to be used again or not. */
void fetch_spare_keep(struct fetch *);
void fetch_spare_clear(struct fetch_hub *);

/* fetch.c: calls done, frees. */
void fetch_finish(struct fetch *, enum fetch_end);
/* What libcurl's verdict means here. */
enum fetch_end fetch_verdict(struct fetch *, CURLcode);
/* Frees, without a callback. */
void fetch_bury(struct fetch *);
/* Lets a paused one go on. */
void fetch_wake(struct fetch *);

/* fetch_options.c: everything that libcurl must know before the start.
 * False: out of memory. A request that makes no sense sets `stopped`. */
bool fetch_options_set(struct fetch *, const struct fetch_request *);

/* fetch_field.c: the header fields of the last head, in order. */
struct fetch_field {
	const char *name, *value;	/* borrowed until another is added */
	size_t name_len;
	size_t next;			/* its own; 0 to begin */
};
/* A line behind the first, with its end. False: malformed, or no memory. */
bool fetch_field_add(struct fetch *, const char *line, size_t len);
bool fetch_field_next(const struct fetch *, struct fetch_field *);
bool fetch_field_is(const struct fetch_field *, const char *name);
/* The first of a name, or NULL. */
const char *fetch_header(const struct fetch *, const char *name);

/* fetch_abroad.c. Before each request: a redirect that left the origin takes
 * few headers along. False: out of memory. */
bool fetch_abroad_look(struct fetch *);
/* What is to be used again has all of them. */
void fetch_abroad_return(struct fetch *);

/* fetch_socket.c. The callbacks that fetch_hub.c and fetch_options.c hand to
 * libcurl; the last gets the hub. */
int fetch_socket_asked(CURL *, curl_socket_t, int what, void *hub, void *);
curl_socket_t fetch_socket_open(void *fetch, curlsocktype,
    struct curl_sockaddr *);
int fetch_socket_close(void *hub, curl_socket_t);
/* It needs its socket no more: nothing may come there until another does. */
void fetch_socket_leave(struct fetch *);
void fetch_socket_clear(struct fetch_hub *);
/* Nothing had come on it as this turn of the loop began. */
bool fetch_socket_quiet(const struct fetch_hub *, curl_socket_t);

/* fetch_known.c: around libcurl at work on what has happened. */
void fetch_known_begin(struct fetch_hub *);
void fetch_known_end(void);

/* fetch_url.c */
bool fetch_url_same_origin(CURLU *, CURLU *);

/* fetch_answer.c: ends it from inside a callback; 0, for libcurl. Borrows why
 * until done. */
size_t fetch_stop(struct fetch *, enum fetch_end, const char *why);
void fetch_describe(const struct fetch *, struct fetch_result *);
/* The callbacks that fetch_options.c hands to libcurl. */
size_t fetch_on_header(char *, size_t, size_t, void *);
size_t fetch_on_data(char *, size_t, size_t, void *);
/* Whether the caller lets it be connected to. */
bool fetch_allows(struct fetch *, const struct sockaddr *);
int fetch_on_connected(void *, char *, char *, int, int);

#endif
