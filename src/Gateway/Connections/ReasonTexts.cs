using Broker.Protocol;

namespace Broker.Gateway.Connections;

/// <summary>Reason Strings for people, by Reason Code. They say nothing that the code does not, so they give nothing away.</summary>
internal static class ReasonTexts
{
    /// <summary>A sentence for every code of refusal, also for those that only hooks and Authentication Methods send; null for the others.</summary>
    public static string? Of(ReasonCode reason) => reason switch
    {
        ReasonCode.UnspecifiedError => "The broker failed to do it.",
        ReasonCode.MalformedPacket => "The packet cannot be read.",
        ReasonCode.ProtocolError => "The packet breaks a rule of the protocol.",
        ReasonCode.ImplementationSpecificError => "Something that the broker needs for it has failed; try again.",
        ReasonCode.UnsupportedProtocolVersion => "This version of MQTT is not spoken here.",
        ReasonCode.ClientIdentifierNotValid => "The Client Identifier is too long, or empty without Clean Start, or names a shared subscription.",
        ReasonCode.BadUserNameOrPassword => "User name or password is wrong.",
        ReasonCode.NotAuthorized => "This client is not allowed to do that.",
        ReasonCode.ServerUnavailable => "The broker cannot serve this client now; try again.",
        ReasonCode.ServerBusy => "The broker has more to do than it can do now; come back later.",
        ReasonCode.Banned => "This client is banned.",
        ReasonCode.ServerShuttingDown => "The broker is stopping.",
        ReasonCode.BadAuthenticationMethod => "The Authentication Method is not offered.",
        ReasonCode.KeepAliveTimeout => "Nothing was received for one and a half times the Keep Alive.",
        ReasonCode.SessionTakenOver => "Another connection has taken over the session.",
        ReasonCode.TopicFilterInvalid => "The Topic Filter is no valid one, or longer or deeper than this broker accepts.",
        ReasonCode.TopicNameInvalid => "The Topic Name is not one that this broker accepts here.",
        ReasonCode.PacketIdentifierInUse => "The Packet Identifier is in use.",
        ReasonCode.PacketIdentifierNotFound => "No message with this Packet Identifier is under way.",
        ReasonCode.ReceiveMaximumExceeded => "More messages are unacknowledged than the Receive Maximum allows.",
        ReasonCode.TopicAliasInvalid => "The Topic Alias is beyond the maximum.",
        ReasonCode.PacketTooLarge => "A packet exceeds the Maximum Packet Size.",
        ReasonCode.MessageRateTooHigh => "Messages come too fast.",
        ReasonCode.QuotaExceeded => "A limit of the broker is reached.",
        ReasonCode.AdministrativeAction => "The connection was ended by an administrator.",
        ReasonCode.PayloadFormatInvalid => "The payload is said to be UTF-8 and is not.",
        ReasonCode.RetainNotSupported => "Retained messages are not supported for this client.",
        ReasonCode.QoSNotSupported => "The QoS is not supported for this client.",
        ReasonCode.UseAnotherServer => "Use another server for now.",
        ReasonCode.ServerMoved => "Use another server from now on.",
        ReasonCode.SharedSubscriptionsNotSupported => "Shared subscriptions are not supported for this client.",
        ReasonCode.ConnectionRateExceeded => "Connections come too fast; try again later.",
        ReasonCode.MaximumConnectTime => "The connection has lasted as long as it may.",
        ReasonCode.SubscriptionIdentifiersNotSupported => "Subscription Identifiers are not supported for this client.",
        ReasonCode.WildcardSubscriptionsNotSupported => "Wildcards in Topic Filters are not supported for this client.",
        _ => null,
    };
}
