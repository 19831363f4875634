using System.Globalization;
using System.Text;
using Broker.Protocol;

namespace Broker.Gateway.Auth.Enhanced;

/// <summary>
/// The server's side of one SCRAM exchange (RFC 5802 section 5):
/// <code>
/// client-first   n,,n=user,r=nonce         CONNECT, or AUTH 0x19
/// server-first   r=nonce+,s=salt,i=count   AUTH 0x18
/// client-final   c=biws,r=nonce+,p=proof   AUTH 0x18
/// server-final   v=signature               CONNACK, or AUTH 0x00
/// </code>
/// A client that sends nothing with CONNECT is asked for its first message by an empty AUTH.
/// </summary>
/// <param name="find">The credential of a user; one that nothing fits for a name that does not exist.</param>
/// <param name="nonce">The server's part of the nonce: printable, without a comma.</param>
internal sealed class ScramExchange(Func<string, ScramCredential> find, string nonce) : IAuthenticationExchange
{
    private string? _userName;
    private string _gs2Header = "";
    private string _clientFirst = "";
    private string _serverFirst = "";
    private string _nonce = "";
    private ScramCredential? _credential;

    /// <inheritdoc />
    public ValueTask<ExchangeStep> NextAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Next(data.Span));

    private ExchangeStep Next(ReadOnlySpan<byte> data)
    {
        if (_credential is null && data.IsEmpty)
        {
            return ExchangeStep.Continue(null);
        }

        if (!System.Text.Unicode.Utf8.IsValid(data))
        {
            return Refused;
        }

        var message = Encoding.UTF8.GetString(data);
        return _credential is null ? First(message) : Final(message, _credential);
    }

    private static ExchangeStep Refused => ExchangeStep.Refuse(ReasonCode.NotAuthorized);

    private ExchangeStep First(string message)
    {
        // gs2-cbind-flag "," [authzid] ","; "p" asks for channel binding, which the method without -PLUS does not have.
        var parts = message.Split(',', 3);
        if (parts is not ["n" or "y", var authorizationId, var bare]
            || bare.Split(',') is not [['n', '=', .. var sentName], ['r', '=', .. var clientNonce], ..]
            || !IsNonce(clientNonce)
            || DecodeName(sentName) is not { } name)
        {
            return Refused;
        }

        if (authorizationId.Length > 0
            && !(authorizationId is ['a', '=', .. var other] && DecodeName(other) == name))
        {
            // To act for somebody else is nothing this broker has.
            return Refused;
        }

        _userName = name;
        _gs2Header = $"{parts[0]},{authorizationId},";
        _clientFirst = bare;
        _nonce = clientNonce + nonce;
        _credential = find(name);
        _serverFirst = string.Create(
            CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(_credential.Salt)},i={_credential.Iterations}");
        return ExchangeStep.Continue(Encoding.UTF8.GetBytes(_serverFirst));
    }

    private ExchangeStep Final(string message, ScramCredential credential)
    {
        var proofAt = message.LastIndexOf(",p=", StringComparison.Ordinal);
        if (proofAt < 0
            || message.Split(',') is not [['c', '=', .. var binding], ['r', '=', .. var sentNonce], ..]
            || binding != Convert.ToBase64String(Encoding.UTF8.GetBytes(_gs2Header))
            || sentNonce != _nonce
            || !TryDecode(message[(proofAt + 3)..], out var proof))
        {
            return Refused;
        }

        var signed = Encoding.UTF8.GetBytes($"{_clientFirst},{_serverFirst},{message[..proofAt]}");
        return credential.Verify(signed, proof)
            ? ExchangeStep.Accept(_userName, Encoding.UTF8.GetBytes("v=" + Convert.ToBase64String(credential.Sign(signed))))
            : Refused;
    }

    // Printable ASCII; the comma is gone with the split.
    private static bool IsNonce(string text) => text.Length > 0 && text.All(static c => c is > ' ' and <= '~');

    /// <summary>The name with =2C and =3D undone, prepared; null when it is not one.</summary>
    private static string? DecodeName(string sent)
    {
        var name = new StringBuilder(sent.Length);
        for (var i = 0; i < sent.Length; i++)
        {
            if (sent[i] != '=')
            {
                name.Append(sent[i]);
                continue;
            }

            switch (sent.AsSpan(i + 1))
            {
                case ['2', 'C', ..]:
                    name.Append(',');
                    break;
                case ['3', 'D', ..]:
                    name.Append('=');
                    break;
                default:
                    return null;
            }

            i += 2;
        }

        return SaslPrep.TryPrepare(name.ToString(), out var prepared) && prepared.Length > 0
            ? Encoding.UTF8.GetString(prepared)
            : null;
    }

    private static bool TryDecode(string base64, out byte[] bytes)
    {
        bytes = new byte[base64.Length];
        var isValid = Convert.TryFromBase64String(base64, bytes, out var length);
        bytes = bytes[..length];
        return isValid;
    }
}
