/*
 * GET /docs. The page's policy lets it do nothing but be styled by itself:
 * no script, no connection, no frame around it.
 *
 * Where npm's Swagger UI is installed, lighttpd has that at this path, and
 * this is asked by nobody (lighttpd/page).
 */
#include "docs.h"

#include <string.h>

#include "describe.h"
#include "docs_page.h"
#include "token.h"

static void
docs_policy(struct route_reply *reply)
{
	unsigned char hash[TOKEN_SHA256];
	char text[TOKEN_BASE64(TOKEN_SHA256)];

	token_sha256(hash, docs_page_style, strlen(docs_page_style));
	token_base64(text, hash, sizeof(hash));
	route_header(reply, "Content-Security-Policy", "default-src 'none'; "
	    "style-src 'sha256-%s'; img-src data:; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'", text);
	route_header(reply, "Referrer-Policy", "no-referrer");
	route_header(reply, "Cache-Control", "no-cache");
}

static void
docs_read(struct route_request *req, struct route_reply *reply)
{
	const struct openapi document = describe_document(req->table,
	    req->prefix[0] != '\0' ? req->prefix : "/");

	reply->status = 200;
	reply->type = "text/html; charset=utf-8";
	docs_policy(reply);
	docs_page(&document, &reply->body);
}

static const struct route_answer docs_answers[] = {
	{ .status = 200, .doc = "A page that shows this document",
	    .type = "text/html; charset=utf-8",
	    .headers = "Content-Security-Policy Referrer-Policy "
	    "Cache-Control",
	    .example = "<!doctype html>\n" },
	{ .status = 0 },
};

const struct route docs_routes[] = {
	{ .method = "GET", .path = "/docs", .id = "docs",
	    .tag = "status", .summary = "The API, for people",
	    .answers = docs_answers, .handle = docs_read },
	{ .path = NULL },
};
