namespace Broker.Gateway.Connections;

/// <summary>What is to be done with a PUBLISH of a client.</summary>
internal enum PublishAdmission
{
    /// <summary>It is routed.</summary>
    AtOnce,

    /// <summary>Refused: the payload is not the UTF-8 that it is said to be.</summary>
    NoUtf8,

    /// <summary>Refused: the topic begins like a delay and is none.</summary>
    NoDelay,

    /// <summary>Refused: the client has no right to.</summary>
    NotAllowed,

    /// <summary>Somebody has to be asked for the right first.</summary>
    AfterRights,

    /// <summary>Hooks have their say first.</summary>
    AfterHooks,
}
