package slacksim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// ana reads a workspace with one other person, one channel and one group.
func ana() *reader {
	return &reader{me: User{ID: Ana, Name: "ana"}, team: Team{Name: "Acme"}, app: "vmssbot",
		users:    map[string]User{Ana: {ID: Ana, Name: "ana", RealName: "Ana"}, Bo: {ID: Bo, Name: "bo", RealName: `Bo "<b>"`}},
		channels: map[string]string{General: "general"}, groups: map[string]string{Approvers: "sre-approvers"}, files: map[string]File{}}
}

func TestMrkdwnReadsAsInSlack(t *testing.T) {
	const out = ` target="_blank" rel="noopener noreferrer nofollow">`
	tests := []struct{ says, in, want string }{
		{"words are escaped once", "a &lt;b&gt; &amp; \"c\"", "a &lt;b&gt; &amp; &#34;c&#34;"},
		{"raw angle brackets are text", "1 < 2", "1 &lt; 2"},
		{"bold, italic and strike", "*b* _i_ ~s~", "<strong>b</strong> <em>i</em> <s>s</s>"},
		{"styles nest", "*b _i_*", "<strong>b <em>i</em></strong>"},
		{"marks inside words are text", "a*b*c snake_case_name 2*3*4", "a*b*c snake_case_name 2*3*4"},
		{"a mark before a blank is text", "* a * b", "* a * b"},
		{"a mark without a partner is text", "*a", "*a"},
		{"styles end with the line", "*a\nb*", "*a<br>b*"},
		{"code shows what it holds", "`*a* <b>`", "<code>*a* &lt;b&gt;</code>"},
		{"code hides the marks of styles", "*a `*` b*", "<strong>a <code>*</code> b</strong>"},
		{"a block of code keeps its lines", "x\n```\na\n b\n```\ny", "x<pre>a\n b\n</pre>y"},
		{"a fence without a partner is text", "```a", "```a"},
		{"quoted lines are one quote", "&gt; a\n&gt; b\nc", "<blockquote>a<br>b</blockquote>c"},
		{"three marks quote the rest", "&gt;&gt;&gt; a\nb", "<blockquote>a<br>b</blockquote>"},
		{"a link with words", "<https://e.com/?a=1&amp;b=2|the <b>>", `<a href="https://e.com/?a=1&amp;b=2"` + out + "the &lt;b</a>&gt;"},
		{"a bare link", "<https://e.com>", `<a href="https://e.com"` + out + "https://e.com</a>"},
		{"an address in the text", "see https://e.com/x.", `see <a href="https://e.com/x"` + out + "https://e.com/x</a>."},
		{"a mail link shows the address", "<mailto:a@b.c>", `<a href="mailto:a@b.c"` + out + "a@b.c</a>"},
		{"a script is no link", "<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"},
		{"data is no link", "<data:text/html,x|x>", "&lt;data:text/html,x|x&gt;"},
		{"a mention of another", "<@" + Bo + ">", `<span class="mention">@bo</span>`},
		{"a mention of the reader", "<@" + Ana + "|old>", `<span class="mention me">@ana</span>`},
		{"a mention of nobody we know", "<@U999>", `<span class="mention">@unknown user U999</span>`},
		{"a channel one sees", "<#" + General + ">", `<a class="mention" data-go href="/?as=ana&amp;in=C0GENERAL1">#general</a>`},
		{"a channel one does not see", "<#C999>", `<span class="mention">#private channel</span>`},
		{"a group", "<!subteam^" + Approvers + ">", `<span class="mention">@sre-approvers</span>`},
		{"everybody here", "<!here>", `<span class="mention me">@here</span>`},
		{"a date has its words from the browser", "<!date^1392734382^{date} at {time}|Feb 18>",
			`<time data-unix="1392734382" data-format="{date} at {time}" datetime="2014-02-18T14:39:42Z">Feb 18</time>`},
		{"a date with a link", "<!date^1^{time}^https://e.com|x>", `<a href="https://e.com"` + out + `<time data-unix="1" data-format="{time}" datetime="1970-01-01T00:00:01Z">x</time></a>`},
		{"a date that is none shows its fallback", "<!date^soon^{date}|so &lt;b&gt;on>", "so &lt;b&gt;on"},
		{"an unknown special shows its label", "<!new|words>", "words"},
		{"an emoji", ":tada:", `<span class="emoji" role="img" aria-label="tada" title=":tada:">🎉</span>`},
		{"a skin tone", ":wave::skin-tone-2:", `<span class="emoji" role="img" aria-label="wave" title=":wave:">👋🏻</span>`},
		{"an emoji nobody knows", ":nope: 10:30:45", ":nope: 10:30:45"},
		{"mentions inside code are words", "`<@" + Bo + "> <https://e.com|x>`", "<code>@bo x</code>"},
	}
	for _, tt := range tests {
		got := string(ana().mrkdwn(tt.in, false))
		if got != tt.want {
			t.Errorf("%s:\n %q\n gives %s\n want  %s", tt.says, tt.in, got, tt.want)
		}
	}
}

func TestVerbatimMrkdwnHasNoLinksOfItsOwn(t *testing.T) {
	if got := ana().mrkdwn("https://e.com", true); got != "https://e.com" {
		t.Errorf("verbatim text gives %s", got)
	}
}

func TestMarkdownReadsAsInSlack(t *testing.T) {
	tests := []struct{ in, want string }{
		{"# One\ntwo **b** *i* ~~s~~ `c<`", "<h3>One</h3><p>two <strong>b</strong> <em>i</em> <s>s</s> <code>c&lt;</code></p>"},
		{"- a\n- [x] b\n\n3. c", "<ul><li class=\"indent0\">a</li><li class=\"indent0\">☑ b</li></ul><ol start=\"3\"><li class=\"indent0\">c</li></ol>"},
		{"> a\n> b", "<blockquote>a<br>b</blockquote>"},
		{"```go\n<b>\n```\n---", "<pre>&lt;b&gt;\n</pre><hr>"},
		{"|a|b|\n|-|-|\n|1|<b>|", `<div class="scroll"><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>&lt;b&gt;</td></tr></table></div>`},
		{"[x](javascript:alert(1)) <b>", "<p>[x](javascript:alert(1)) &lt;b&gt;</p>"},
		{"[x](javascript:alert)", "<p>x</p>"},
		{`\*a\*`, "<p>*a*</p>"},
	}
	for _, tt := range tests {
		p := piece{reader: ana(), Doc: map[string]any{"text": tt.in}}
		if got := string(p.Markdown()); got != tt.want {
			t.Errorf("%q\n gives %s\n want  %s", tt.in, got, tt.want)
		}
	}
}

var (
	tag       = regexp.MustCompile(`^<(/?)([a-z0-9]+)((?: [a-zA-Z-]+(?:="[^"<>]*")?)*) ?/?>`)
	attribute = regexp.MustCompile(` ([a-zA-Z-]+)(?:="([^"<>]*)")?`)
	void      = []string{"br", "hr", "img", "input", "path", "circle"}
	tags      = strings.Fields("a article aside b blockquote br button circle code details div em figcaption figure h2 h3 h4 h5 h6 hr i img input label li " +
		"ol optgroup option p path pre s select small span strong summary svg table td template textarea th time tr u ul")
)

// wellFormed reports what is wrong with HTML of ours: a tag that is not one of the page's, an attribute that runs
// code, a link that leads to code, wrong nesting, a stray bracket.
func wellFormed(s string) error {
	var open []string
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '>':
			return fmt.Errorf("stray > at %d", i)
		case '<':
			m := tag.FindStringSubmatch(s[i:])
			if m == nil || !slices.Contains(tags, m[2]) {
				return fmt.Errorf("foreign markup at %d: %.60q", i, s[i:])
			}
			if err := harmless(m[3]); err != nil {
				return err
			}
			switch {
			case slices.Contains(void, m[2]):
			case m[1] == "":
				open = append(open, m[2])
			case len(open) == 0 || open[len(open)-1] != m[2]:
				return fmt.Errorf("</%s> closes %v", m[2], open)
			default:
				open = open[:len(open)-1]
			}
			i += len(m[0]) - 1
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("not closed: %v", open)
	}
	return nil
}

func harmless(attributes string) error {
	for _, a := range attribute.FindAllStringSubmatch(attributes, -1) {
		name, value := strings.ToLower(a[1]), strings.ToLower(a[2])
		if strings.HasPrefix(name, "on") || name == "style" || name == "srcdoc" {
			return fmt.Errorf("attribute %s", name)
		}
		if name != "href" && name != "src" {
			continue
		}
		if !slices.ContainsFunc([]string{"http://", "https://", "mailto:", "tel:", "/?", "/ui/file/"}, func(p string) bool { return strings.HasPrefix(value, p) }) {
			return fmt.Errorf("%s leads to %q", name, value)
		}
	}
	return nil
}

func FuzzForeignTextNeverBecomesMarkup(f *testing.F) {
	for _, s := range []string{"*a* _b_ <http://x|y> `c` ```d``` &gt; e", "<!date^1^{date}|x>", "<@U1|<b>>", "# a\n- b\n|a|\n|-|", "[x](http://a'\"b)", "`<@U1|a\"b>`",
		"*_~a~_*", "<http://x\" onclick=\"y|z>", ":tada::wave:", ">>> a", "\x00<\xff>"} {
		f.Add(s)
	}
	r := ana()
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // JSON decoding replaces such bytes before they come here
		}
		p := piece{reader: r, Doc: map[string]any{"text": s}}
		for name, got := range map[string]string{"mrkdwn": string(r.mrkdwn(s, false)), "markdown": string(p.Markdown()), "plain": string(r.lines(s))} {
			if err := wellFormed(got); err != nil {
				t.Errorf("%s: %v\n in  %q\n out %q", name, err, s, got)
			}
		}
	})
}
