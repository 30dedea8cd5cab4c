package slacksim

// The limits are those of the Block Kit reference (docs.slack.dev/reference/block-kit) and of @slack/types 3.2.

const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxBlockText     = 13_200 // characters over all blocks of a message (undocumented: slackapi/bolt-js issue 2509)
	maxMarkdown      = 12_000 // characters over all markdown blocks of a message
)

// plain is a plain_text object; marked takes mrkdwn as well.
func plain(max int) rule {
	return obj(req("type", enum("plain_text")), req("text", str(1, max)), opt("emoji", boolean))
}

func marked(max int) rule {
	return union(byType(map[string]rule{
		"plain_text": plain(max),
		"mrkdwn":     obj(req("type", anything), req("text", str(1, max)), opt("verbatim", boolean)),
	}))
}

func onlyMrkdwn(max int) rule {
	return obj(req("type", enum("mrkdwn", "plain_text")), req("text", str(1, max)), opt("verbatim", boolean), opt("emoji", boolean))
}

var (
	confirmDialog = obj(opt("title", plain(100)), req("text", marked(300)), opt("confirm", plain(30)), opt("deny", plain(30)), opt("style", style))
	style         = enum("primary", "danger")
	dispatch      = obj(opt("trigger_actions_on", list(1, 2, enum("on_enter_pressed", "on_character_entered"))))
	slackFile     = obj(opt("id", str(1, 0)), opt("url", str(1, 0)))
	filter        = obj(opt("include", list(1, 4, enum("im", "mpim", "private", "public"))),
		opt("exclude_external_shared_channels", boolean), opt("exclude_bot_users", boolean))
)

// option is one choice: plain text in menus, either text in checkboxes and radio buttons, a url only in overflows.
func option(text rule, more ...field) rule {
	return obj(append([]field{req("text", text), req("value", str(1, 150)), opt("description", marked(75))}, more...)...)
}

var (
	menuOption  = option(plain(75))
	boxOption   = option(marked(75))
	optionGroup = obj(req("label", plain(75)), req("options", list(1, 100, menuOption)))
)

// elem is an interactive element: type and action_id and what comes with it.
func elem(fields ...field) rule {
	return obj(append([]field{req("type", anything), opt("action_id", str(1, 255))}, fields...)...)
}

var (
	confirmable = opt("confirm", confirmDialog)
	focusable   = opt("focus_on_load", boolean)
	placeholder = opt("placeholder", plain(150))
	label75     = opt("accessibility_label", str(1, 75))
	several     = opt("max_selected_items", integer(1, 1_000_000))
	respondable = opt("response_url_enabled", boolean)
)

// menu is a select element of one choice or, with the plural initial field, of several.
func menu(fields ...field) rule {
	return elem(append([]field{confirmable, focusable, placeholder}, fields...)...)
}

func staticMenu(fields ...field) rule {
	return also(menu(append([]field{opt("options", list(1, 100, menuOption)), opt("option_groups", list(1, 100, optionGroup))}, fields...)...),
		either("options", "option_groups"))
}

var idList = list(0, 0, str(1, 0))

// textInput is an input of one line or more, with what the kinds have in common.
func textInput(fields ...field) rule {
	return elem(append([]field{focusable, placeholder, opt("dispatch_action_config", dispatch)}, fields...)...)
}

// elements are the rules of every interactive element and of images inside blocks.
var elements = map[string]rule{
	"button": elem(req("text", plain(75)), opt("url", str(0, 3000)), opt("value", str(0, 2000)), opt("style", style), confirmable, label75,
		opt("visible_to_user_ids", idList)),
	"workflow_button":            elem(req("text", plain(75)), req("workflow", anything), opt("style", style), label75),
	"icon_button":                elem(req("icon", str(1, 0)), req("text", plain(75)), opt("value", str(0, 2000)), opt("visible_to_user_ids", idList), confirmable, label75),
	"feedback_buttons":           elem(req("positive_button", anything), req("negative_button", anything)),
	"overflow":                   elem(req("options", list(1, 5, option(plain(75), opt("url", str(0, 3000))))), confirmable),
	"checkboxes":                 elem(req("options", list(1, 10, boxOption)), opt("initial_options", list(1, 10, boxOption)), confirmable, focusable),
	"radio_buttons":              elem(req("options", list(1, 10, boxOption)), opt("initial_option", boxOption), confirmable, focusable),
	"static_select":              staticMenu(opt("initial_option", menuOption)),
	"multi_static_select":        staticMenu(opt("initial_options", list(1, 100, menuOption)), several),
	"external_select":            menu(opt("initial_option", menuOption), opt("min_query_length", integer(0, 1000))),
	"multi_external_select":      menu(opt("initial_options", list(1, 100, menuOption)), opt("min_query_length", integer(0, 1000)), several),
	"users_select":               menu(opt("initial_user", str(1, 0))),
	"multi_users_select":         menu(opt("initial_users", idList), several),
	"channels_select":            menu(opt("initial_channel", str(1, 0)), respondable),
	"multi_channels_select":      menu(opt("initial_channels", idList), several),
	"conversations_select":       menu(opt("initial_conversation", str(1, 0)), opt("default_to_current_conversation", boolean), respondable, opt("filter", filter)),
	"multi_conversations_select": menu(opt("initial_conversations", idList), opt("default_to_current_conversation", boolean), opt("filter", filter), several),
	"datepicker":                 menu(opt("initial_date", str(10, 10))),
	"timepicker":                 menu(opt("initial_time", str(5, 5)), opt("timezone", str(1, 0))),
	"datetimepicker":             elem(confirmable, focusable, opt("initial_date_time", integer(1_000_000_000, 9_999_999_999))),
	"plain_text_input": textInput(opt("initial_value", str(0, 3000)), opt("multiline", boolean), opt("min_length", integer(0, 3000)),
		opt("max_length", integer(1, 3000))),
	"rich_text_input":  textInput(opt("initial_value", anything), opt("min_lines", integer(1, 100)), opt("max_lines", integer(1, 100))),
	"email_text_input": textInput(opt("initial_value", str(0, 0))),
	"url_text_input":   textInput(opt("initial_value", str(0, 0))),
	"number_input": textInput(req("is_decimal_allowed", boolean), opt("initial_value", str(0, 0)), opt("min_value", str(1, 0)),
		opt("max_value", str(1, 0))),
	"file_input": elem(opt("filetypes", list(1, 0, str(1, 0))), opt("max_files", integer(1, 10))),
	"image":      image(),
}

// image is an image block or element: exactly one source, and a Slack file must be visible already.
func image(more ...field) rule {
	fields := []field{req("type", anything), req("alt_text", str(1, 2000)), opt("image_url", str(1, 3000)), opt("slack_file", slackFile),
		opt("title", plain(2000))}
	return also(also(obj(append(fields, more...)...), either("image_url", "slack_file")), func(k *checker, at string, o map[string]any) {
		if f, ok := o["slack_file"].(map[string]any); ok && k.fileSeen != nil && !k.fileSeen(f) {
			k.broken(at+"/slack_file", "slack_file", nil, nil, "invalid slack file")
		}
	})
}

// only narrows elements to the named types.
func only(names ...string) map[string]rule {
	out := map[string]rule{}
	for _, n := range names {
		out[n] = elements[n]
	}
	return out
}

var (
	selects = []string{"static_select", "external_select", "users_select", "channels_select", "conversations_select", "multi_static_select",
		"multi_external_select", "multi_users_select", "multi_channels_select", "multi_conversations_select"}
	pickers = []string{"checkboxes", "radio_buttons", "datepicker", "timepicker"}

	inActions = byType(only(append(append([]string{"button", "workflow_button", "overflow", "datetimepicker", "rich_text_input"}, selects...), pickers...)...))
	inSection = byType(only(append(append([]string{"button", "workflow_button", "overflow", "image"}, selects...), pickers...)...))
	inInput   = byType(only(append(append([]string{"datetimepicker", "plain_text_input", "rich_text_input", "email_text_input", "url_text_input",
		"number_input", "file_input"}, selects...), pickers...)...))
	inContext = byType(map[string]rule{"image": elements["image"], "plain_text": plain(3000),
		"mrkdwn": obj(req("type", anything), req("text", str(1, 3000)), opt("verbatim", boolean))})
)

// block is a layout block: type and block_id and what comes with it.
func block(fields ...field) rule {
	return obj(append([]field{req("type", anything), opt("block_id", str(0, 255))}, fields...)...)
}

// blocks are the rules of every layout block.
var blocks map[string]rule

// viewBlocks are the block types that modals and Home tabs take.
var viewBlocks = []string{"actions", "alert", "card", "carousel", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}

// The table refers to itself (a container holds blocks), which a variable's initialiser may not.
func init() {
	blocks = map[string]rule{
		"section":         also(block(opt("text", marked(3000)), opt("fields", list(1, 10, marked(2000))), opt("accessory", inSection), opt("expand", boolean)), textOrFields),
		"divider":         block(),
		"header":          block(req("text", plain(150)), opt("level", integer(1, 6))),
		"actions":         block(req("elements", uniqueActions(list(1, 25, inActions)))),
		"context":         block(req("elements", list(1, 10, inContext))),
		"context_actions": block(req("elements", uniqueActions(list(1, 5, byType(only("feedback_buttons", "icon_button")))))),
		"image":           image(opt("block_id", str(0, 255))),
		"input": block(req("label", plain(2000)), req("element", inInput), opt("hint", plain(2000)), opt("optional", boolean),
			opt("dispatch_action", boolean)),
		"rich_text": block(req("elements", richElements)),
		"markdown":  block(req("text", str(1, maxMarkdown))),
		"file":      block(req("source", enum("remote")), req("external_id", str(1, 255)), opt("file_id", str(1, 0))),
		"video": block(req("video_url", str(1, 0)), req("thumbnail_url", str(1, 0)), req("alt_text", str(1, 0)), req("title", plain(200)),
			opt("title_url", str(1, 0)), opt("author_name", str(1, 50)), opt("provider_name", str(1, 0)),
			opt("provider_icon_url", str(1, 0)), opt("description", plain(200))),
		"table": block(req("rows", list(1, 100, list(1, 20, cell))),
			opt("column_settings", list(0, 20, obj(opt("align", enum("left", "center", "right")), opt("is_wrapped", boolean))))),
		"data_table": block(req("rows", list(1, 101, list(1, 20, cell))), req("caption", str(1, 0)), opt("page_size", integer(1, 100)),
			opt("row_header_column_index", integer(0, 19))),
		"alert":    block(req("text", marked(200)), opt("level", enum("default", "info", "warning", "error", "success"))),
		"card":     card,
		"carousel": block(req("elements", list(1, 10, byType(map[string]rule{"card": card})))),
		"container": block(opt("title", plain(150)), opt("rich_text_title", anything), opt("subtitle", marked(150)), opt("icon", elements["image"]),
			req("child_blocks", list(1, 10, func(k *checker, at string, v any) { byType(blocks)(k, at, v) })), opt("width", enum("narrow", "standard", "wide", "full")),
			opt("is_collapsible", boolean), opt("default_collapsed", boolean), opt("has_header_divider", boolean)),
		"task_card": task,
		"plan":      block(req("title", str(1, 0)), opt("tasks", list(0, 50, byType(map[string]rule{"task_card": task})))),
		"call":      block(req("call_id", str(1, 0)), opt("call", anything), opt("api_decoration_available", boolean)),
		// New blocks whose inner shape is not published: taken as they come.
		"data_visualization": anything, "layout": anything,
	}
}

var (
	card = block(opt("hero_image", elements["image"]), opt("icon", elements["image"]), opt("slack_icon", obj(req("name", str(1, 0)), opt("type", anything))),
		opt("title", onlyMrkdwn(150)), opt("subtitle", onlyMrkdwn(150)), opt("body", onlyMrkdwn(200)),
		opt("actions", uniqueActions(list(1, 5, byType(only("button"))))))
	task = block(req("task_id", str(1, 255)), req("title", str(1, 0)), opt("details", rich), opt("output", rich),
		opt("sources", list(0, 0, anything)), req("status", enum("pending", "in_progress", "complete", "error")))
	rich = byType(map[string]rule{"rich_text": block(req("elements", richElements))})
	cell = byType(map[string]rule{
		"raw_text":   obj(req("type", anything), req("text", str(1, 2000))),
		"raw_number": obj(req("type", anything), req("value", anything), req("text", str(1, 2000))),
		"rich_text":  block(req("elements", richElements)),
	})
)

// richElements are the parts of a rich_text block.
var richElements = list(0, 0, byType(map[string]rule{
	"rich_text_section":      richPart(),
	"rich_text_quote":        richPart(opt("border", integer(0, 1))),
	"rich_text_preformatted": richPart(opt("border", integer(0, 1)), opt("language", str(1, 0))),
	"rich_text_list": obj(req("type", anything), req("style", enum("bullet", "ordered")), opt("indent", integer(0, 8)), opt("offset", integer(0, 1_000_000)),
		opt("border", integer(0, 1)), req("elements", list(0, 0, byType(map[string]rule{"rich_text_section": richPart()})))),
}))

func richPart(more ...field) rule {
	return obj(append([]field{req("type", anything), req("elements", list(0, 0, byType(richLeaves)))}, more...)...)
}

// leaf is one run of a rich text; style is open, for its flags differ from leaf to leaf.
func leaf(fields ...field) rule {
	return obj(append([]field{req("type", anything), opt("style", anything)}, fields...)...)
}

var richLeaves = map[string]rule{
	"text": leaf(req("text", str(1, 0))),
	"link": leaf(req("url", str(1, 0)), opt("text", str(0, 0)), opt("unsafe", boolean)),
	"user": leaf(req("user_id", str(1, 0))), "usergroup": leaf(req("usergroup_id", str(1, 0))), "team": leaf(req("team_id", str(1, 0))),
	"channel": leaf(req("channel_id", str(1, 0))), "emoji": leaf(req("name", str(1, 0)), opt("unicode", str(1, 0)), opt("url", str(1, 0)), opt("skin_tone", anything)),
	"broadcast": leaf(req("range", enum("here", "channel", "everyone"))), "color": leaf(req("value", str(1, 0))),
	"date": leaf(req("timestamp", anything), req("format", str(1, 0)), opt("url", str(0, 0)), opt("fallback", str(0, 0))),
}

func textOrFields(k *checker, at string, o map[string]any) {
	if o["text"] == nil && o["fields"] == nil {
		k.broken(at+"/type", "any_of", nil, nil, "must define either `text` or `fields`")
	}
}
