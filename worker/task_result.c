/*
 * Results as JSON. A body is text where it is UTF-8, and base64 where it is
 * not: a reader is told which, and gets the target's bytes back either way.
 */
#include "task_result.h"


#include "json_rune.h"
#include "token.h"

enum { TASK_RESULT_REST = 16384 };	/* bytes of all but the body */

const struct field task_result_fields[] = {
	{ .name = "task_id", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .format = "uuid" },
	{ .name = "status", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .choices = "queued pending completed failed",
	    .doc = "`pending`: running, or waiting to be tried again" },
	{ .name = "status_code", .kind = FIELD_WHOLE,
	    .doc = "Of the target's answer; null while there is none" },
	{ .name = "content_type", .kind = FIELD_TEXT,
	    .doc = "Of the target's answer" },
	{ .name = "body", .kind = FIELD_TEXT,
	    .doc = "Of the target's answer" },
	{ .name = "body_encoding", .kind = FIELD_TEXT,
	    .choices = "utf-8 base64",
	    .doc = "`base64` where the body is not UTF-8" },
	{ .name = "error", .kind = FIELD_TEXT,
	    .doc = "Why it failed, or why the last attempt did" },
	{ .name = "attempts", .kind = FIELD_WHOLE, .need = FIELD_REQUIRED,
	    .doc = "How often it was begun" },
	{ .name = NULL },
};

static bool
task_result_utf8(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = json_rune_utf8(text, len);

		if (n == 0)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static void
task_result_body(const struct task_result *r, struct buf *out)
{
	size_t room = TOKEN_BASE64(r->body_len);
	char *to;

	if (r->body == NULL) {
		buf_str(out, "null,\"body_encoding\":null");
	} else if (task_result_utf8(r->body, r->body_len)) {
		json_put_text_n(out, r->body, r->body_len);
		buf_str(out, ",\"body_encoding\":\"utf-8\"");
	} else {
		buf_char(out, '"');
		to = buf_room(out, room);
		if (to != NULL) {
			token_base64(to, r->body, r->body_len);
			buf_grew(out, room - 1);
		}
		buf_str(out, "\",\"body_encoding\":\"base64\"");
	}
}

void
task_result_write(const struct task_result *r, struct buf *out)
{
	buf_printf(out, "{\"task_id\":\"%s\",\"status\":\"%s\","
	    "\"status_code\":", r->id, queue_state_name(r->state));
	if (r->status_code > 0)
		buf_printf(out, "%d", r->status_code);
	else
		buf_str(out, "null");
	buf_str(out, ",\"content_type\":");
	json_put_text(out, r->content_type);
	buf_str(out, ",\"body\":");
	task_result_body(r, out);
	buf_str(out, ",\"error\":");
	json_put_text(out, r->error);
	buf_printf(out, ",\"attempts\":%lld}", r->attempts);
}

size_t
task_result_max(size_t body_len)
{
	return body_len * 6 + TASK_RESULT_REST;	/* \u0000 for each byte */
}
