/*
 * Reads and writes the lines of core NATS. No headers, no JetStream, no TLS:
 * CONNECT asks for none of them. What is no line of a server is refused, and
 * the connection with it, for there is no way to find the next one.
 */
#include "nats.h"

#include <string.h>
#include <strings.h>

#include "json.h"

void
nats_start(struct nats *n)
{
	*n = (struct nats){ .skip = 0 };
	buf_init(&n->line, NATS_LINE_MAX);
}

void
nats_stop(struct nats *n)
{
	buf_free(&n->line);
}

/* --- reading ------------------------------------------------------------ */

/* Whether the line begins with the verb. They have no case. */
static bool
nats_is(const struct nats *n, const char *verb)
{
	const char *line = buf_text(&n->line);
	size_t len = strlen(verb);

	return strncasecmp(line, verb, len) == 0 &&
	    (line[len] == '\0' || line[len] == ' ' || line[len] == '\t');
}

const char *
nats_rest(const struct nats *n)
{
	const char *line = buf_text(&n->line);

	line += strcspn(line, " \t");
	return line + strspn(line, " \t");
}

/* MSG subject sid [reply-to] bytes: the last word counts. */
static bool
nats_message(struct nats *n)
{
	const char *line = buf_text(&n->line), *word;
	size_t bytes = 0, words = 0, len;

	for (word = line; *word != '\0'; words++) {
		len = strcspn(word, " \t");
		line = word;
		word += len + strspn(word + len, " \t");
	}
	if (words < 4 || words > 5)
		return false;
	for (word = line; *word >= '0' && *word <= '9'; word++) {
		bytes = bytes * 10 + (size_t)(*word - '0');
		if (bytes > NATS_MESSAGE_MAX)
			return false;
	}
	n->skip = bytes + 2;	/* and its CR LF */
	return word > line && (*word == '\0' || *word == ' ' ||
	    *word == '\t');
}

static enum nats_kind
nats_line(struct nats *n)
{
	static const struct {
		const char *verb;
		enum nats_kind kind;
	} verbs[] = {
		{ "MSG", NATS_MSG }, { "PING", NATS_PING },
		{ "PONG", NATS_PONG }, { "+OK", NATS_OK },
		{ "-ERR", NATS_ERR }, { "INFO", NATS_INFO },
	};

	if (strlen(buf_text(&n->line)) != n->line.len)
		return NATS_WRONG;	/* a NUL */
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (nats_is(n, verbs[i].verb))
			return verbs[i].kind == NATS_MSG &&
			    !nats_message(n) ? NATS_WRONG : verbs[i].kind;
	return NATS_WRONG;
}

enum nats_kind
nats_read(struct nats *n, const char **at, size_t *left)
{
	size_t some = n->skip < *left ? n->skip : *left;
	enum nats_kind kind;
	const char *end;

	*at += some;
	*left -= some;
	n->skip -= some;
	if (n->line.failed)
		return NATS_WRONG;
	if (n->whole)
		buf_reset(&n->line);
	n->whole = false;
	if (*left == 0)
		return NATS_MORE;
	end = memchr(*at, '\n', *left);
	some = end != NULL ? (size_t)(end + 1 - *at) : *left;
	buf_add(&n->line, *at, some);
	*at += some;
	*left -= some;
	if (n->line.failed)
		return NATS_WRONG;
	if (end == NULL)
		return NATS_MORE;
	n->line.len -= n->line.len > 1 &&
	    n->line.data[n->line.len - 2] == '\r' ? 2 : 1;
	n->line.data[n->line.len] = '\0';
	n->whole = true;
	kind = nats_line(n);
	n->line.failed = kind == NATS_WRONG;
	return kind;
}

bool
nats_info(const char *text, struct nats_info *info)
{
	struct json *json = json_parse(text, strlen(text), NULL);
	bool good = json_kind(json) == JSON_OBJECT;

	*info = (struct nats_info){ .max_payload = 0 };
	if (good) {
		info->tls_required = json_true(json_get(json,
		    "tls_required"));
		if (!json_whole(json_get(json, "max_payload"),
		    &info->max_payload) || info->max_payload < 0)
			info->max_payload = 0;
	}
	json_free(json);
	return good;
}

/* --- writing ------------------------------------------------------------ */

static void
nats_put_member(struct buf *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(out, ",\"%s\":", name);
	json_put_text(out, text);
}

void
nats_put_connect(struct buf *out, const struct broker *b, const char *name)
{
	buf_str(out, "CONNECT {\"verbose\":false,\"pedantic\":false,"
	    "\"tls_required\":false,\"lang\":\"c\",\"protocol\":1");
	nats_put_member(out, "version", DCM_VERSION);
	nats_put_member(out, "name", name);
	nats_put_member(out, "user", b->user);
	nats_put_member(out, "pass", b->user != NULL ? b->password : NULL);
	nats_put_member(out, "auth_token", b->token);
	buf_str(out, "}\r\n");
}

void
nats_put_sub(struct buf *out, const char *subject, int sid)
{
	buf_printf(out, "SUB %s %d\r\n", subject, sid);
}

void
nats_put_pub(struct buf *out, const char *subject, const char *payload,
    size_t len)
{
	buf_printf(out, "PUB %s %zu\r\n", subject, len);
	buf_add(out, payload, len);
	buf_str(out, "\r\n");
}

void
nats_put_ping(struct buf *out)
{
	buf_str(out, "PING\r\n");
}

void
nats_put_pong(struct buf *out)
{
	buf_str(out, "PONG\r\n");
}
