namespace Broker.Protocol;

/// <summary>Whether a packet can be sliced off the input.</summary>
public enum FrameStatus
{
    /// <summary>A whole packet.</summary>
    Complete,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>Remaining Length is not a Variable Byte Integer (MQTT 5.0 section 2.1.4).</summary>
    Malformed,

    /// <summary>The packet will exceed the limit; known before its body has arrived.</summary>
    TooLarge,
}
