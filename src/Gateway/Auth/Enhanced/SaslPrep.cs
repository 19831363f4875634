using System.Globalization;
using System.Text;

namespace Broker.Gateway.Auth.Enhanced;

/// <summary>
/// SASLprep (RFC 4013) of names and passwords, so that the two sides of SCRAM hash the same bytes: complete for ASCII. Of the rest it
/// does the mapping (B.1, C.1.2) and refuses what is prohibited; text is not normalized to NFKC and bidirectional text is not
/// checked, because the program runs without culture data: such text is taken as it was typed, which is NFC nearly always.
/// </summary>
internal static class SaslPrep
{
    /// <summary>UTF-8 of the prepared text, or a <see cref="FormatException"/> when it has a character that is prohibited.</summary>
    public static byte[] Prepare(string text) =>
        TryPrepare(text, out var prepared) ? prepared : throw new FormatException("a character is not allowed in names and passwords");

    /// <inheritdoc cref="Prepare"/>
    public static bool TryPrepare(string text, out byte[] prepared)
    {
        var mapped = new StringBuilder(text.Length);
        prepared = [];
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsMappedToNothing(rune.Value))
            {
                continue;
            }

            if (!rune.IsAscii && Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator)
            {
                mapped.Append(' ');
                continue;
            }

            if (IsProhibited(rune))
            {
                return false;
            }

            mapped.Append(rune.ToString());
        }

        prepared = Encoding.UTF8.GetBytes(mapped.ToString());
        return true;
    }

    // RFC 3454 table B.1.
    private static bool IsMappedToNothing(int value) => value is
        0x00AD or 0x034F or 0x1806 or (>= 0x180B and <= 0x180D) or (>= 0x200B and <= 0x200D) or 0x2060
        or (>= 0xFE00 and <= 0xFE0F) or 0xFEFF;

    // RFC 3454 tables C.2 to C.9: controls, private use, non-characters, what is wrong in plain text, tagging. An unpaired surrogate
    // comes as U+FFFD, which is in C.6.
    private static bool IsProhibited(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.PrivateUse
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || (rune.Value & 0xFFFE) == 0xFFFE
        || rune.Value is (>= 0xFDD0 and <= 0xFDEF) or (>= 0xFFF9 and <= 0xFFFD) or (>= 0x2FF0 and <= 0x2FFB)
            or 0x0340 or 0x0341 or 0x06DD or 0x070F or 0x180E or (>= 0x200E and <= 0x200F) or (>= 0x202A and <= 0x202E)
            or (>= 0x2061 and <= 0x2063) or (>= 0x206A and <= 0x206F) or (>= 0x1D173 and <= 0x1D17A) or (>= 0xE0001 and <= 0xE007F);
}
