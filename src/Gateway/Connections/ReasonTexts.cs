using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Reason Strings for people, by Reason Code. They say nothing that the code does not, so they give nothing away.</summary>
internal static class ReasonTexts
{
    /// <summary>A sentence for a code of refusal; null for the others.</summary>
    public static string? Of(ReasonCode reason) => reason switch
    {
        ReasonCode.UnspecifiedError => "The broker failed to do it.",
        ReasonCode.ImplementationSpecificError => "The store has failed; try again.",
        ReasonCode.ClientIdentifierNotValid => "The Client Identifier is too long, or empty without Clean Start, or names a shared subscription.",
        ReasonCode.BadUserNameOrPassword => "User name or password is wrong.",
        ReasonCode.NotAuthorized => "This client is not allowed to do that.",
        ReasonCode.ServerUnavailable => "The broker cannot serve this client now; try again.",
        ReasonCode.ServerBusy => "The broker cannot reach its store now; come back later.",
        ReasonCode.ServerShuttingDown => "The broker is stopping.",
        ReasonCode.BadAuthenticationMethod => "The Authentication Method is not offered.",
        ReasonCode.KeepAliveTimeout => "Nothing was received for one and a half times the Keep Alive.",
        ReasonCode.SessionTakenOver => "Another connection has taken over the session.",
        ReasonCode.TopicFilterInvalid => "The Topic Filter is no valid one, or longer or deeper than this broker accepts.",
        ReasonCode.PacketTooLarge => "A packet exceeds the Maximum Packet Size.",
        ReasonCode.QuotaExceeded => "A limit of the broker is reached.",
        ReasonCode.PayloadFormatInvalid => "The payload is said to be UTF-8 and is not.",
        ReasonCode.UseAnotherServer => "Use another server for now.",
        ReasonCode.ServerMoved => "Use another server from now on.",
        _ => null,
    };
}
