package ptb

// The rules of the tokenizer, written from a description of what the Penn Treebank tokenizer of Stanford CoreNLP 3.4.1 does to English
// text. A rule is a regular expression for the token and, where it has one, another for what must follow it. Of all rules that match at
// a place the one whose token and look-ahead together are longest wins; among equals, the one that stands first.
//
// Letters outside brackets match either case (see anyCase); brackets are taken as written. Nothing here is Go-specific
// besides the syntax of package regexp/syntax; assertions such as ^ and \b are not available.

// Classes, to be used inside brackets; the long ones are in classes.go.
const (
	blank   = " \t\u00A0\u2000-\u200A\u3000"       // space inside a line
	lineEnd = "\r\n\u2028\u2029\u000B\u000C\u0085" // ends a line
	inURL   = " \t\n\f\r\"<>|(){}"                 // never part of a web address
	inPath  = " \t\n\f\r\"<>|()"                   // never part of a path, but at its end as inURL
)

// Parts of rules.
const (
	l    = `(?:[` + lt + letterMarks + `]|&[aeiouAEIOU](?:acute|grave|uml);)`
	d    = `[` + dg + `]`
	ld   = `(?:[` + lt + dg + letterMarks + `]|&[aeiouAEIOU](?:acute|grave|uml);)`
	ap   = "(?:['\u0092\u2019]|&apos;)"
	aq   = "(?:['\u0092\u2019`\u0091\u2018\u201B]|&apos;)"
	hy   = "[-_\u058A\u2010\u2011]"
	sp   = "[" + blank + "]"
	nl   = "(?:\r\n|[" + lineEnd + "])"
	sn   = "(?:" + sp + "|" + nl + ")"
	word = l + ld + `*(?:[.!?]` + l + ld + `*)*`
	num  = `(?:` + d + `+|` + d + `*(?:[.:,` + "\u00AD\u066B\u066C" + `]` + d + `+)+)`

	clitic = ap + `(?:[msdMSD]|re|ve|ll)` // 's, 'm, 'd, 're, 've, 'll
	nt     = `n` + aq + `t`

	sgml = `<(?:[!?][A-Za-z\-][^>` + lineEnd + `]*|` +
		`[A-Za-z][A-Za-z0-9_:.\-]*(?:` + sp + `+(?:[A-Za-z][A-Za-z0-9_:.\-]*(?:` + sp + `*=` + sp + `*(?:'[^'` + lineEnd + `]*'|"[^"` + lineEnd + `]*"))?))*` + sp + `*/?|` +
		`/[A-Za-z][A-Za-z0-9_:.\-]*)` + sp + `*>`

	acro = `(?:[A-Za-z](?:\.[A-Za-z])*|(?:Canada|Sino|Korean|EU|Japan|non)-U\.S|U\.S\.-U\.K|U\.S\.-U\.S\.R)`

	starter = `(?:[A]bout|[A]ccording|[A]dditionally|[A]fter|[A]n|[A]|[A]s|[A]t|[B]ut|[E]arlier|[H]e|[H]er|[H]ere|[H]owever|[I]f|[I]n|[I]t|[L]ast|[M]any|[M]ore|[M]r\.|[M]s\.|[N]ow|` +
		`[O]nce|[O]ne|[O]ther|[O]ur|[S]he|[S]ince|[S]o|[S]ome|[S]uch|[T]hat|[T]he|[T]heir|[T]hen|[T]here|[T]hese|[T]hey|[T]his|[W]e|[W]hen|[W]hile|[W]hat|[Y]et|[Y]ou|` + sgml + `)`

	months = `Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec`
	days   = `Mon|Tue|Tues|Wed|Thu|Thurs|Fri`
	states = `Ala|Ariz|[A]z|[A]rk|Calif|Colo|Conn|Ct|Dak|[D]el|Fla|Ga|[I]ll|Ind|Kan|Kans|Ky|[L]a|[M]ass|Md|Mich|Minn|[M]iss|Mo|Mont|Neb|Nev|Okla|[O]re|[P]a|Penn|Tenn|[T]ex|Va|Vt|[W]ash|Wis|Wisc|Wyo`
	firms  = `Inc|Co|Cos|Corp|Pp?t[ye]s?|Ltd|Plc|Rt|Bancorp|Bhd|Assn|Univ|Intl|Sys`
	// AB1 may end a sentence: its dot may have to be counted twice.
	ab1 = `(?:` + months + `|` + days + `|` + states + `|` + firms + `|tel|est|ext|sq|Jr|Sr|Bros|Ed\.D|Ph\.D|Blvd|Rd|Esq|etc|al|seq|Bldg)\.`

	titles = `Mr|Mrs|Ms|[M]iss|Drs?|Profs?|Sens?|Reps?|Attys?|Lt|Col|Gen|Messrs|Govs?|Adm|Rev|Maj|Sgt|Cpl|Pvt|Capt|Ste?|Ave|Pres|Lieut|Hon|Brig|` +
		`Co?mdr|Pfc|Spc|Supts?|Det|Mt|Ft|Adj|Adv|Asst|Assoc|Ens|Insp|Mlle|Mme|Msgr|Sfc`
	// AB2 does not end a sentence.
	ab2 = `(?:` + titles + `|vs|Alex|Wm|Jos|Cie|a\.k\.a|cf|TREAS|Ph|` + acro + `|Invt|Elec|Natl|M[ft]g|Dept)`

	fileKinds = `(?:bat|bmp|c|class|cgi|cpp|dll|doc|docx|exe|gif|gz|h|htm|html|jar|java|jpeg|jpg|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav|x|xml|zip)`

	urlTail = `[^` + inURL + `]+[^` + inURL + `.!?,\-]`
	urlPath = `(?:/[^` + inPath + `]+[^` + inURL + `.!?,\-])?`

	eyes      = `[\-^x=~<>']`
	thing     = `(?:[dDoOlL]` + aq + `[` + lt + dg + `])?[` + lt + dg + `]+`
	shyAlnums = "[A-Za-z0-9\u00AD]"
)

// A rule is one row of the table.
type rule struct {
	body string // what the token looks like
	look string // what must follow it ("": anything)
	do   action // what is written for it (nil: itself)
	// back units at the token's end are not part of it after all and are scanned again;
	// again units are part of it and are scanned again none the less.
	back, again int
}

var rules = []rule{
	{body: `c\+\+`},
	{body: `[cCfF]#`},
	{body: `cannot`, back: 3},
	{body: ap + `twas`, back: 3},
	{body: ap + `tis`, back: 2},
	{body: `gonna|gotta|lemme|gimme|wanna`, back: 2},
	{body: sgml, do: joinBlanks},
	{body: "[\u0096\u0097\u2013\u2014\u2015]|&(?:MD|mdash|ndash);", do: as("--")},
	{body: `&amp;`, do: as("&")},
	{body: `&(?:HT|TL|UR|LR|QC|QL|QR|odq|cdq|#[0-9]+);`},

	// Words.
	{body: word, look: clitic, do: dropShy},
	{body: "[A-Za-z\u00AD]*[A-MO-Za-mo-z]\u00AD*", look: nt, do: dropShy},
	{body: word, do: dropShy},
	{body: ap + `n` + ap + `?|[lLdDjJ]` + ap + `|dunkin` + ap + `|somethin` + ap + `|ol` + ap + `|` + ap + `em|[A-HJ-XZn]` + aq + `[` + lt + `][` + lt + `]+|` + ap + `[2-9]0s|` + ap + `till?|` +
		`[` + lt + `]+[aeiouyAEIOUY]` + aq + `[aeiouA-Z][` + lt + `]*|` + ap + `cause|cont` + ap + `d\.?|` + ap + `twas|nor` + ap + `easter|c` + ap + `mon|e` + ap + `er|s` + ap + `mores|` +
		`ev` + ap + `ry|li` + ap + `l|nat` + ap + `l|O` + aq + `o`},
	{body: `y` + ap, look: `[` + lt + `]`},

	// Addresses and tags.
	{body: `https?://` + urlTail},
	{body: `www\.(?:[^` + inURL + `.!?,]+\.)+[a-zA-Z]{2,4}` + urlPath},
	{body: "(?:[^" + inURL + "`'.!?,-_$]+\\.)+(?:com|net|org|edu)" + urlPath},
	{body: `<?[a-zA-Z0-9][^` + inURL + "\u00A0" + `]*@(?:[^` + inURL + ".\u00A0" + `]+\.)*[^` + inURL + ".\u00A0" + `]+>?`},
	{body: `@[A-Za-z_][A-Za-z_0-9]*|#` + l + `+`},
	{body: clitic, look: `[^A-Za-z]`, do: straightQuotes},
	{body: nt, look: `[^A-Za-z]`, do: straightQuotes},

	// Numbers.
	{body: d + `{1,2}[\-/]` + d + `{1,2}[\-/]` + d + `{2,4}`},
	{body: `[\-+]?` + num, do: dropShy},
	{body: "[\u207A\u207B\u208A\u208B]?(?:[\u2070\u00B9\u00B2\u00B3\u2074-\u2079]+|[\u2080-\u2089]+)"},
	{body: `(?:` + d + "{1,4}[\\- \u00A0])?" + d + "{1,4}(?:\\\\?/|\u2044)" + d + `{1,4}`, do: joinBlanks},
	{body: "[\u00BC\u00BD\u00BE\u2153-\u215E]", do: fraction},
	{body: `-(?:RRB|LRB|RCB|LCB|RSB|LSB)-|C\.D\.s|pro-|anti-|S(?:&|&amp;)P-500|S(?:&|&amp;)Ls|Cap` + ap + `n|c` + ap + `est`, do: wordMarks},
	{body: `[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}`},
	{body: `[A-Z]*\$|#`},
	{body: "[\u00A2\u00A3\u00A4\u00A5\u0080\u20A0\u20AC\u060B\u0E3F\u20A4\uFFE0\uFFE1\uFFE5\uFFE6]", do: currency},

	// Abbreviations.
	{body: acro + `\.`, look: sn + `+` + starter + sn, do: dotlessIfShort, again: 1},
	{body: `(?:ca|figs?|prop|nos?|art|bldg|pp|op)\.`, look: sn + `?` + d},
	{body: `(?:pte|pty|co)\.`, look: sp + `(?:ltd|lim)`},
	{body: ab1, look: sn + `(?:` + sn + `|[\p{Lu}]|` + sgml + `)`, again: 1},
	{body: ab1, look: `[\x{0}-\x{FFFF}]{2}`},
	{body: ab1, again: 1},
	{body: ab2 + `\.`},
	{body: ab2, look: sp},
	{body: acro, look: sn},
	{body: ap + d + d, look: sn},
	{body: ld + `+(?:\.` + ld + `+)*\.` + fileKinds, look: sn + `|[.?!,]`},
	{body: word + `\.`, look: "[,;:\u3001]", do: dropShy},
	{body: "(?:\\([0-9]{2,3}\\)[ \u00A0]?|(?:\\+\\+?)?(?:[0-9]{2,4}[\\- \u00A0])?[0-9]{2,4}[\\- \u00A0])[0-9]{3,4}[\\- \u00A0]?[0-9]{3,5}|" +
		`(?:(?:\+\+?)?[0-9]{2,4}\.)?[0-9]{2,4}\.[0-9]{3,4}\.[0-9]{3,5}`, do: joinBlanksAndParens},

	// Marks.
	{body: `"|&quot;`, look: `[A-Za-z0-9$]`, do: as("``")},
	{body: `"|&quot;`, do: as("''")},
	{body: "\u007F", do: as("")},
	{body: `<|&lt;`, do: as("<")},
	{body: `>|&gt;`, do: as(">")},
	{body: `[<>]?[:;=][\-o*']?[()DPdpO\\{@|\[\]]`, look: `[^A-Za-z0-9]`, do: parens},
	{body: `[\^x=~<>]\.\[\^x=~<>\]|` + eyes + `_` + eyes + `|\(` + eyes + `[_.]?` + eyes + `\)|\([\^x=~<>']-[\^x=~<>'` + "`" + `]\)`, do: parens},
	{body: `[{}\[\]()]`, do: brackets},
	{body: `-+`, do: dashes},
	{body: `\.{3,5}|\.` + "(?:[ \u00A0]\\.){2,4}|[\u2026\u0085]", do: as("...")},
	{body: `@+|#+|_+`},
	{body: `\*+|(?:\\\*){1,3}`},
	{body: "[,;:\u3001]"},
	{body: `[?!]+`},
	{body: "[.\u00A1\u00BF\u037E\u0589\u061F\u06D4\u0700-\u0702\u07FA\u3002]"},
	{body: `=`},
	{body: `/`},

	// Compounds.
	{body: "[A-Za-z0-9][A-Za-z0-9.,\u00AD]*(?:-(?:" + shyAlnums + `+|` + `[A-Za-z](?:\.[A-Za-z])+` + `\.))+`, do: dropShy},
	{body: "[A-Za-z0-9][A-Za-z0-9.,\u00AD]*(?:-(?:" + shyAlnums + `+|` + `[A-Za-z](?:\.[A-Za-z])+` + `\.))+\.`, look: "[,;:\u3001]", do: dropShy},
	{body: thing + `(?:` + hy + thing + `)*`, do: dropShy},
	{body: thing + `(?:` + hy + thing + `)*\.`, look: "[,;:\u3001]", do: dropShy},
	{body: `[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+`, do: wordMarks},
	{body: `[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+\.`, look: "[,;:\u3001]", do: wordMarks},

	// Quotes.
	{body: `'`, look: `[A-Za-z][^` + blank + lineEnd + `]`, do: as("`")},
	{body: clitic + `|` + nt, do: straightQuotes},
	{body: ap + "|''|[`\u2018\u2019\u201A\u201B\u201C\u201D\u0091-\u0094\u201E\u201F\u2039\u203A\u00AB\u00BB]{1,2}", do: quotes},
	{body: `<<|>>`},
	{body: `[+%&~^|\\` + symbols + `]`},
	{body: sp + "+|[\u0000\u200B\u200E\u200F\uFEFF]|&nbsp;", do: as("")},
	{body: nl, do: as("\n")},
	{body: `[\x{0}-\x{FFFF}]`, do: as("")},
}
