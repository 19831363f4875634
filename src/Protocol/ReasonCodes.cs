namespace Broker.Protocol;

/// <summary>Which reason code which packet may carry (MQTT 5.0 section 2.4).</summary>
public static class ReasonCodes
{
    private static readonly HashSet<ReasonCode> PublishAnswers =
    [
        ReasonCode.Success, ReasonCode.NoMatchingSubscribers, ReasonCode.UnspecifiedError,
        ReasonCode.ImplementationSpecificError, ReasonCode.NotAuthorized, ReasonCode.TopicNameInvalid,
        ReasonCode.PacketIdentifierInUse, ReasonCode.QuotaExceeded, ReasonCode.PayloadFormatInvalid,
    ];

    private static readonly HashSet<ReasonCode> ReleaseAnswers = [ReasonCode.Success, ReasonCode.PacketIdentifierNotFound];

    private static readonly HashSet<ReasonCode> SubscribeAnswers =
    [
        ReasonCode.Success, ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS2, ReasonCode.UnspecifiedError,
        ReasonCode.ImplementationSpecificError, ReasonCode.NotAuthorized, ReasonCode.TopicFilterInvalid,
        ReasonCode.PacketIdentifierInUse, ReasonCode.QuotaExceeded, ReasonCode.SharedSubscriptionsNotSupported,
        ReasonCode.SubscriptionIdentifiersNotSupported, ReasonCode.WildcardSubscriptionsNotSupported,
    ];

    private static readonly HashSet<ReasonCode> UnsubscribeAnswers =
    [
        ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.UnspecifiedError,
        ReasonCode.ImplementationSpecificError, ReasonCode.NotAuthorized, ReasonCode.TopicFilterInvalid,
        ReasonCode.PacketIdentifierInUse,
    ];

    private static readonly HashSet<ReasonCode> Authentications =
        [ReasonCode.Success, ReasonCode.ContinueAuthentication, ReasonCode.ReAuthenticate];

    // Codes at or above 0x80 that never end a connection.
    private static readonly HashSet<ReasonCode> NotInDisconnect =
    [
        ReasonCode.UnsupportedProtocolVersion, ReasonCode.ClientIdentifierNotValid, ReasonCode.BadUserNameOrPassword,
        ReasonCode.ServerUnavailable, ReasonCode.Banned, ReasonCode.PacketIdentifierInUse, ReasonCode.PacketIdentifierNotFound,
    ];

    // Codes at or above 0x80 that no CONNACK has.
    private static readonly HashSet<ReasonCode> NotInConnAck =
    [
        ReasonCode.ServerShuttingDown, ReasonCode.KeepAliveTimeout, ReasonCode.SessionTakenOver, ReasonCode.TopicFilterInvalid,
        ReasonCode.PacketIdentifierInUse, ReasonCode.PacketIdentifierNotFound, ReasonCode.ReceiveMaximumExceeded,
        ReasonCode.TopicAliasInvalid, ReasonCode.MessageRateTooHigh, ReasonCode.AdministrativeAction,
        ReasonCode.SharedSubscriptionsNotSupported, ReasonCode.MaximumConnectTime,
        ReasonCode.SubscriptionIdentifiersNotSupported, ReasonCode.WildcardSubscriptionsNotSupported,
    ];

    /// <summary>
    /// Whether a packet of this type may carry the code: CONNACK [MQTT-3.2.2-8], PUBACK [MQTT-3.4.2-1], PUBREC [MQTT-3.5.2-1], PUBREL
    /// [MQTT-3.6.2-1], PUBCOMP [MQTT-3.7.2-1], SUBACK [MQTT-3.9.3-2], UNSUBACK [MQTT-3.11.3-2], DISCONNECT [MQTT-3.14.2-1], AUTH
    /// [MQTT-3.15.2-1].
    /// </summary>
    public static bool IsAllowed(ReasonCode reason, PacketType type) => type switch
    {
        PacketType.PubAck or PacketType.PubRec => PublishAnswers.Contains(reason),
        PacketType.PubRel or PacketType.PubComp => ReleaseAnswers.Contains(reason),
        PacketType.SubAck => SubscribeAnswers.Contains(reason),
        PacketType.UnsubAck => UnsubscribeAnswers.Contains(reason),
        PacketType.Auth => Authentications.Contains(reason),
        PacketType.Disconnect => reason is ReasonCode.Success or ReasonCode.DisconnectWithWillMessage
            || (reason >= ReasonCode.UnspecifiedError && Enum.IsDefined(reason) && !NotInDisconnect.Contains(reason)),
        PacketType.ConnAck => reason == ReasonCode.Success
            || (reason >= ReasonCode.UnspecifiedError && Enum.IsDefined(reason) && !NotInConnAck.Contains(reason)),
        _ => false,
    };
}
