/*
 * What libcurl tells while an answer comes in: its head, its body, the
 * addresses it wants to connect to. Here it is decided what is passed on.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch_inner.h"

/* Of an answer and the redirects that led to it. */
enum {
	FETCH_LINES_MAX = 1000,
	FETCH_HEADS_MAX = 65536,	/* bytes */
};

size_t
fetch_stop(struct fetch *f, enum fetch_end end, const char *why)
{
	f->stopped = true;
	f->end = end;
	f->why = why;
	return 0;
}

/*
 * What the head promises about the body. libcurl takes the last of several
 * lengths and decodes compressing transfer codings unasked: we take neither.
 */
static bool
fetch_framed(const struct fetch *f, long long *length)
{
	const char *coding = fetch_header(f, "Transfer-Encoding");
	struct fetch_field at = { .next = 0 };

	*length = -1;
	if (coding != NULL)
		return strcasecmp(coding, "chunked") == 0;
	while (fetch_field_next(f, &at)) {
		long long each;

		if (!fetch_field_is(&at, "Content-Length"))
			continue;
		if (at.value[strspn(at.value, "0123456789")] != '\0' ||
		    strlen(at.value) == 0 || strlen(at.value) > 18)
			return false;
		each = strtoll(at.value, NULL, 10);
		if (*length >= 0 && each != *length)
			return false;
		*length = each;
	}
	return true;
}

void
fetch_describe(const struct fetch *f, struct fetch_result *result)
{
	char *address = NULL, *url = NULL;
	long status = 0;

	curl_easy_getinfo(f->easy, CURLINFO_EFFECTIVE_URL, &url);
	curl_easy_getinfo(f->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	*result = (struct fetch_result){
		.end = FETCH_DONE, .status = (int)status, .detail = "",
		.url = url != NULL ? url : "",
		.address = address != NULL ? address : "",
		.length = f->length, .header = fetch_header, .fetch = f,
	};
}

/* Whether libcurl will follow: it passes over a Location without a value. */
static bool
fetch_leads(const struct fetch *f, long status)
{
	struct fetch_field at = { .next = 0 };

	if (!f->follow || status < 300 || status >= 400)
		return false;
	while (fetch_field_next(f, &at))
		if (fetch_field_is(&at, "Location") && *at.value != '\0')
			return true;
	return false;
}

static size_t
fetch_head(struct fetch *f, size_t len)
{
	struct fetch_result result;
	long status = 0;

	/* libcurl's reading of the line counts, not ours: of "HTTP/2 200" two
	 * programs make two things */
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (f->headed || (status < 200 && status != 101))
		return len;
	if (status == 101)
		return fetch_stop(f, FETCH_BROKEN,
		    "the answer changes the protocol unasked");
	if (status > 599)
		return fetch_stop(f, FETCH_BROKEN,
		    "Unsupported response code in HTTP response");
	if (fetch_leads(f, status))
		return len;
	f->headed = true;
	f->heard = loop_now(f->hub->loop);
	if (!fetch_framed(f, &f->length))
		return fetch_stop(f, FETCH_BROKEN,
		    "the answer's length is not clear");
	if (f->head != NULL) {
		fetch_describe(f, &result);
		f->head(f->arg, &result);
	}
	return f->dead ? 0 : len;
}

size_t
fetch_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t len = size * n;

	if (f->dead)
		return 0;
	f->headers_len += len;
	if (++f->lines > FETCH_LINES_MAX || f->headers_len > FETCH_HEADS_MAX)
		return fetch_stop(f, FETCH_BROKEN,
		    "the answer's head is too long");
	if (line[0] == '\r' || line[0] == '\n') {
		f->heading = false;
		return fetch_head(f, len);
	}
	if (f->headed)		/* a trailer */
		return len;
	if (!f->heading) {	/* the status line */
		f->heading = true;
		buf_reset(&f->fields);
		return len;
	}
	return fetch_field_add(f, line, len) ? len : fetch_stop(f,
	    FETCH_BROKEN, "the answer's head is malformed");
}

static size_t
fetch_collect(struct fetch *f, const char *piece, size_t len, size_t room)
{
	if (len > room)
		return fetch_stop(f, FETCH_TOO_BIG, "the answer is too long");
	if (!buf_add(&f->body, piece, len))
		return fetch_stop(f, FETCH_BROKEN, "out of memory");
	f->got += len;
	return len;
}

size_t
fetch_on_data(char *piece, size_t size, size_t n, void *arg)
{
	struct fetch *f = arg;
	size_t len = size * n, room = SIZE_MAX, part;

	if (f->dead)
		return 0;
	if (!f->headed)
		return fetch_stop(f, FETCH_BROKEN,
		    "the answer has a body but no head");
	f->heard = loop_now(f->hub->loop);
	if (f->max_body > 0)
		room = f->max_body - f->got;
	if (f->data == NULL)
		return fetch_collect(f, piece, len, room);
	part = len < room ? len : room;
	if (part > 0 && !f->data(f->arg, piece, part)) {
		if (f->dead)
			return 0;
		f->paused = true;
		loop_timer_stop(f->hub->loop, &f->timer);
		return CURL_WRITEFUNC_PAUSE;
	}
	if (f->dead)
		return 0;
	f->got += part;
	if (part < len)
		return fetch_stop(f, FETCH_TOO_BIG, "the answer is too long");
	return len;
}

bool
fetch_allows(struct fetch *f, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "of another family";
	const void *part = NULL;

	if (f->allow == NULL || f->allow(f->arg, address))
		return true;
	if (address->sa_family == AF_INET)
		part = &((const struct sockaddr_in *)(const void *)
		    address)->sin_addr;
	else if (address->sa_family == AF_INET6)
		part = &((const struct sockaddr_in6 *)(const void *)
		    address)->sin6_addr;
	if (part != NULL)
		inet_ntop(address->sa_family, part, text, sizeof(text));
	f->refused = true;
	snprintf(f->refusal, sizeof(f->refusal), "address %s is refused",
	    text);
	return false;
}

/* Before each request, also on a connection that is used again: its address
 * was judged by whoever opened it, perhaps with another `allow`. */
int
fetch_on_connected(void *arg, char *address, char *local, int port, int from)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *to = NULL;
	struct fetch *f = arg;

	(void)local;
	f->port = from;
	if (f->headed) {
		fetch_stop(f, FETCH_BROKEN, "the answer is to be asked for "
		    "again");
		return CURL_PREREQFUNC_ABORT;
	}
	if (!fetch_abroad_look(f))
		return CURL_PREREQFUNC_ABORT;
	if (f->allow == NULL)
		return CURL_PREREQFUNC_OK;
	v4.sin_port = v6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		to = (const struct sockaddr *)(const void *)&v4;
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		to = (const struct sockaddr *)(const void *)&v6;
	if (to == NULL)
		return CURL_PREREQFUNC_ABORT;
	return fetch_allows(f, to) ? CURL_PREREQFUNC_OK :
	    CURL_PREREQFUNC_ABORT;
}
