//! Syntax errors in the words of a person who writes YAML, not of one who parses it.

use granit_parser::ErrorKind;

const INDENTATION: &str =
    "indent with spaces, and keep the keys of one mapping in one column";
const QUOTES: &str = "text with special characters is safe in quotes: \"…\"";

/// Returns what is wrong and, where there is some, what to do about it.
pub(super) fn explain(kind: &ErrorKind) -> Said {
    if let Some(said) = about_collections(kind).or_else(|| about_text(kind)) {
        return said;
    }
    if let Some(said) = about_lines(kind) {
        return said;
    }
    about_marks(kind)
        .unwrap_or_else(|| ("this is not valid YAML".to_owned(), Some(INDENTATION)))
}

type Said = (String, Option<&'static str>);

fn said(message: &str, help: impl Into<Option<&'static str>>) -> Said {
    (message.to_owned(), help.into())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open, and others go on")]
fn about_collections(kind: &ErrorKind) -> Option<Said> {
    use ErrorKind as E;
    Some(match kind {
        E::UnclosedFlowCollection { open } => {
            (format!("this `{open}` is never closed"), None)
        }
        E::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), None)
        }
        E::MisplacedFlowCollectionEnd => {
            said("this closes nothing that was opened", QUOTES)
        }
        E::UnexpectedEofFlowSequence | E::ExpectedFlowSequenceSeparator => {
            said("expected `,` or `]` in a list that began with `[`", QUOTES)
        }
        E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::ExpectedFlowMappingSeparator
        | E::FlowMappingValueAdjacentCollection => {
            said("expected `,` or `}` in a mapping that began with `{`", QUOTES)
        }
        E::InvalidColonPlacement => {
            said("a key cannot stand here: a `[` or `{` before it is still open", None)
        }
        E::BlockEntryInFlowCollection => {
            said("an item with `-` cannot stand between `[ ]` or `{ }`", None)
        }
        E::RecursionLimitExceeded => (
            format!("lists and mappings stand more than {} deep", super::MOST_DEPTH),
            None,
        ),
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open, and others go on")]
fn about_text(kind: &ErrorKind) -> Option<Said> {
    use ErrorKind as E;
    Some(match kind {
        E::UnclosedQuotedScalar => said("this quote is never closed", None),
        E::DocumentIndicatorInQuotedScalar => {
            said("a line `---` or `...` stands inside quotes that are still open", None)
        }
        E::InvalidTrailingSingleQuotedScalar => {
            said("text follows the closing quote", "inside '…' a quote is written ''")
        }
        E::InvalidTrailingDoubleQuotedScalar => {
            said("text follows the closing quote", "inside \"…\" a quote is written \\\"")
        }
        E::UnknownQuotedScalarEscape => said(
            "this escape is unknown in double quotes",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => {
            said("this escape stands for no character", "use the character itself")
        }
        E::UnexpectedCharacter { character } => {
            (format!("text without quotes cannot begin with {character:?}"), Some(QUOTES))
        }
        E::PlainScalarStartsWithDashFlowIndicator | E::UnexpectedEndOfPlainScalar => {
            said("text without quotes cannot begin like this", QUOTES)
        }
        E::CommentInterceptedScalar => {
            said("a comment stands in the middle of a text of several lines", None)
        }
        E::CommentNotSeparated => said("a comment needs a space before its `#`", QUOTES),
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader => said(
            "after `|` or `>` only `+`, `-` and a digit from 1 to 9 may follow",
            None,
        ),
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open, and others go on")]
fn about_lines(kind: &ErrorKind) -> Option<Said> {
    use ErrorKind as E;
    Some(match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => {
            said("a tab cannot indent a line", "replace the tab with spaces")
        }
        E::InvalidIndentation
        | E::InvalidBlockScalarIndent
        | E::InvalidQuotedScalarIndent
        | E::InvalidFlowScalarIndent
        | E::UnexpectedEofBlockMapping
        | E::UnexpectedEofBlockSequence
        | E::ExpectedBlockSequenceEntry => {
            said("this line is not indented like its neighbours", INDENTATION)
        }
        E::ExpectedBlockMappingKey => said(
            "expected a key here, as the lines above have",
            "keys of one mapping stand in one column; items of a list begin with `- `",
        ),
        E::MappingValueNotAllowed | E::MappingKeyNotAllowed => said(
            "a `: ` cannot stand here: this line already has its value, or it is indented \
             under one",
            INDENTATION,
        ),
        E::InvalidMappingValueWhitespace | E::InvalidBlockEntryWhitespace => {
            said("only spaces may follow here, no tab", None)
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey => {
            said("expected `key: value`, but there is no `:` after this", INDENTATION)
        }
        E::BlockSequenceEntryNotAllowed => said(
            "an item with `-` cannot begin here",
            "begin the list on a line of its own",
        ),
        E::ExpectedNodeContent | E::UnexpectedEof => {
            said("a value is missing here", None)
        }
        E::ExpectedDocumentStart | E::InvalidDocumentEnd => {
            said("text follows the end of the document", INDENTATION)
        }
        E::BomInsideDocument => {
            said("a byte-order mark stands in the middle of the file", "delete it")
        }
        _ => return None,
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open, and others go on")]
fn about_marks(kind: &ErrorKind) -> Option<Said> {
    use ErrorKind as E;
    Some(match kind {
        E::UnknownAnchor => said(
            "this alias names an anchor that is not there",
            "an anchor `&name` must stand before its alias `*name`, in the same document; \
             a text that begins with `*` needs quotes",
        ),
        E::MissingAnchorOrAliasName => {
            said("after `&` or `*` a name must follow", QUOTES)
        }
        E::UndeclaredTagHandle
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::ExpectedTagBang
        | E::InvalidGlobalTagCharacter => said(
            "this `!` begins no tag that is known here",
            "Compose knows `!reset` and `!override`; a text that begins with `!` needs quotes",
        ),
        E::DuplicateVersionDirective
        | E::UnsupportedYamlMajorVersion
        | E::DuplicateTagDirective
        | E::MissingDocumentEndBeforeDirective
        | E::MissingYamlVersion
        | E::MissingYamlVersionSeparator
        | E::YamlVersionTooLong
        | E::MissingDirectiveName
        | E::InvalidDirectiveName
        | E::InvalidDirectiveTerminator
        | E::InvalidTagDirectiveTerminator
        | E::ExpectedTagDirectiveBang
        | E::DirectiveDisallowed => {
            said("a line that begins with `%` is no YAML directive", QUOTES)
        }
        _ => return None,
    })
}
